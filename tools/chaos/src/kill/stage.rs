use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream};
use bench::fleet::{Fleet, FleetOptions, Replica, SERVICES};
use contracts::{INGEST_WINDOWS, Service};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{
    failpoint::Failpoint,
    fault::{Fault, FaultKind},
    ledger::Ledger,
    pace::Pace,
};
use crate::entrance::Entrance;

/// How many processes each service has.
const REPLICAS: usize = 2;
/// How many workers there are at most.
const WORKERS: usize = 8;
/// How many connections are opened that send nothing.
const IDLE: usize = 400;

/// How long a process may take until it gets to the point where it dies.
const DOOMED: Duration = Duration::from_secs(10);

/// The system whose processes are killed: two of each service. Nothing is signalled but what was
/// started here, by its process id.
pub(crate) struct Stage {
    pub(crate) fleet: Fleet,
    pub(crate) entrance: Entrance,
    replicas: BTreeMap<Service, Vec<Replica>>,
    ledger: Ledger,
    pace: Pace,
    /// Processes that ended although nobody killed them.
    pub(crate) ended: Vec<String>,
    /// How often which point was the end of a process.
    pub(crate) died_at: BTreeMap<String, usize>,
    poisoned: u64,
}

impl Stage {
    pub(crate) async fn start(fleet: FleetOptions, ledger: Ledger, pace: Pace) -> Result<Self> {
        let mut fleet = Fleet::start_with(fleet).await?;
        let mut replicas: BTreeMap<Service, Vec<Replica>> = BTreeMap::new();
        for replica in fleet.take_replicas() {
            replicas.entry(replica.service).or_default().push(replica);
        }
        let (entrance, ended) = (Entrance::default(), Vec::new());
        entrance.open(fleet.base.clone());
        let died_at = BTreeMap::new();
        let mut stage = Self { fleet, entrance, replicas, ledger, pace, ended, died_at, poisoned: 0 };
        for service in SERVICES {
            stage.fill(service, REPLICAS).await?;
        }
        Ok(stage)
    }

    /// Starts processes of a service until there are so many, and waits until they are ready.
    async fn fill(&mut self, service: Service, many: usize) -> Result<()> {
        let running = self.replicas.entry(service).or_default();
        let mut fresh = Vec::new();
        for _ in running.len()..many {
            fresh.push(self.fleet.begin(service)?);
        }
        for mut replica in fresh {
            replica.until_ready().await.with_context(|| format!("{service} again"))?;
            if service == Service::Gateway {
                self.entrance.open(replica.base.clone());
            }
            running.push(replica);
        }
        Ok(())
    }

    /// Starts what has ended by itself, as whoever runs containers does.
    pub(crate) async fn supervise(&mut self) -> Result<()> {
        for service in SERVICES {
            let running = self.replicas.entry(service).or_default();
            let mut place = 0;
            while let Some(replica) = running.get_mut(place) {
                if replica.has_ended()? {
                    self.ended.push(format!("{service} (process {}) ended by itself", replica.pid()));
                    self.entrance.close(&replica.base);
                    running.remove(place);
                } else {
                    place += 1;
                }
            }
            self.fill(service, REPLICAS).await?;
        }
        Ok(())
    }

    /// Lets a fault begin, waits for as long as it lasts, and lets `heal` know before it is over.
    pub(crate) async fn suffer(&mut self, fault: Fault, heals: impl FnOnce()) -> Result<()> {
        let Fault { kind, service, replica, lasts, point } = fault;
        let lasts = Duration::from_millis(lasts);
        match kind {
            FaultKind::Service | FaultKind::Pair => {
                let many = if kind == FaultKind::Pair { REPLICAS } else { 1 };
                let running = self.replicas.entry(service).or_default();
                for _ in 0..many.min(running.len()) {
                    let mut killed = running.remove(replica.min(running.len() - 1));
                    killed.kill()?;
                    self.entrance.close(&killed.base);
                }
                sleep(lasts).await;
                heals();
                self.fill(service, REPLICAS).await?;
            }
            FaultKind::Failpoint => {
                let running = self.replicas.entry(service).or_default();
                let mut killed = running.remove(replica.min(running.len() - 1));
                killed.kill()?;
                self.entrance.close(&killed.base);
                self.doom(point.context("no point is named")?).await?;
                heals();
                self.fill(service, REPLICAS).await?;
            }
            FaultKind::Freeze => {
                let frozen = self.replicas.get(&service).and_then(|all| all.get(replica));
                let frozen = frozen.with_context(|| format!("there is no {service} {replica}"))?;
                frozen.freeze()?;
                sleep(lasts).await;
                heals();
                frozen.thaw()?;
            }
            FaultKind::Nats => {
                self.fleet.kill_nats().await;
                sleep(lasts).await;
                heals();
                self.fleet.restart_nats().await?;
            }
            FaultKind::Mongo => {
                self.fleet.kill_mongo().await;
                sleep(lasts).await;
                heals();
                self.fleet.restart_mongo().await?;
            }
            FaultKind::Both => {
                self.fleet.kill_nats().await;
                self.fleet.kill_mongo().await;
                sleep(lasts).await;
                heals();
                self.fleet.restart_nats().await?;
                self.fleet.restart_mongo().await?;
            }
            FaultKind::Poison => {
                heals();
                self.poison().await?;
            }
            FaultKind::Burst => {
                self.pace.hurry(true);
                sleep(lasts).await;
                heals();
                self.pace.hurry(false);
            }
            FaultKind::Idle => {
                let mut idle = Vec::new();
                for base in self.entrance.all() {
                    let address = base.trim_start_matches("http://").to_owned();
                    for _ in 0..IDLE {
                        idle.extend(TcpStream::connect(&address).await.ok());
                    }
                }
                sleep(lasts).await;
                heals();
            }
            FaultKind::Workers => {
                self.fill(Service::Timetrack, WORKERS).await?;
                sleep(lasts).await;
                let workers = self.replicas.entry(Service::Timetrack).or_default();
                for worker in workers.split_off(1) {
                    worker.stop().await?;
                }
                sleep(lasts).await;
                heals();
                self.fill(Service::Timetrack, REPLICAS).await?;
            }
        }
        self.supervise().await
    }

    /// Starts a process that dies at a point of its program, and waits until it has.
    async fn doom(&mut self, point: Failpoint) -> Result<()> {
        let Failpoint { service, name, .. } = point;
        let (mut doomed, began) = (self.fleet.begin_doomed(service, &point.to_string())?, Instant::now());
        // It may die before it is ready.
        if doomed.until_ready().await.is_ok() && service == Service::Gateway {
            self.entrance.open(doomed.base.clone());
        }
        while !doomed.has_ended()? && began.elapsed() < DOOMED {
            sleep(Duration::from_millis(10)).await;
        }
        let reached = if doomed.has_ended()? { "" } else { ", not reached" };
        self.entrance.close(&doomed.base);
        *self.died_at.entry(format!("{service} {name}{reached}")).or_default() += 1;
        Ok(())
    }

    /// Puts in what nobody can read: one on the queue, and one on an event of each kind of consumer.
    async fn poison(&mut self) -> Result<()> {
        let jetstream = jetstream::new(self.fleet.bus().await?);
        let subjects = [
            INGEST_WINDOWS.to_owned(),
            "evt.projects.v1.member.poison.changed".into(),
            "evt.directory.v1.employee.poison.changed".into(),
            "evt.timetrack.v1.windows.poison.recorded".into(),
        ];
        for subject in subjects {
            self.poisoned += 1;
            let payload = format!("chaos-poison-{}", self.poisoned);
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, Uuid::from_u128(0xdead_0000 + u128::from(self.poisoned)).to_string());
            self.ledger.book().poison.insert(payload.clone());
            jetstream.publish_with_headers(subject, headers, payload.into()).await?.await?;
        }
        Ok(())
    }

    /// Ends everything.
    pub(crate) async fn stop(self) {
        drop(self.replicas);
        self.fleet.stop().await;
    }
}
