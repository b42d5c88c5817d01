use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream};
use bench::fleet::{Fleet, FleetOptions, Replica, SERVICES};
use contracts::{INGEST_BATCHES, INGEST_WINDOWS, Service};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{
    KillOptions, cluster,
    disks::Disks,
    failpoint::Failpoint,
    fault::{Fault, FaultKind},
    ledger::Ledger,
    network::Network,
    pace::Pace,
};
use crate::gateways::OpenGateways;

/// How long a message may be refused because its stream has no leader.
const PATIENCE: Duration = Duration::from_secs(60);
/// The number of processes of each service.
const REPLICAS: usize = 2;
/// The largest number of timetrack's processes.
const WORKERS: usize = 8;
/// The number of idle connections that are opened to each gateway.
const IDLE: usize = 400;
/// By how many seconds a wrong clock is wrong.
const OFF: i64 = 600;

/// How long a process may take until it reaches the failpoint at which it ends.
const DOOMED: Duration = Duration::from_secs(10);

/// The system into which faults are injected: two processes of each service. Signals are sent by
/// process id, and only to processes that were started here.
pub(crate) struct Testbed {
    pub(crate) fleet: Fleet,
    pub(crate) gateways: OpenGateways,
    /// The network of the servers, if there are three of each kind.
    network: Option<Network>,
    /// The disks that can lose their power or, if this machine does not allow it, the reason. They
    /// are made only for a campaign with this fault.
    disks: Option<Result<Disks, String>>,
    replicas: BTreeMap<Service, Vec<Replica>>,
    ledger: Ledger,
    pace: Pace,
    /// Notes for the report, for example about processes that ended by themselves and faults that
    /// were left out.
    pub(crate) ended: Vec<String>,
    /// For each failpoint, how many processes ended at it, and how many did not reach it in time.
    pub(crate) died_at: BTreeMap<String, usize>,
    poisoned: u64,
}

impl Testbed {
    pub(crate) async fn start(options: &KillOptions, ledger: Ledger, pace: Pace) -> Result<Self> {
        let network = if options.nodes > 1 { Some(Network::lay()?) } else { None };
        let disks = options.faults.contains(&FaultKind::Power).then(|| Disks::make().map_err(|why| format!("{why:#}")));
        let on_disks = || Some(disks.as_ref()?.as_ref().ok()?.seats());
        let cluster = network.as_ref().map(Network::cluster).or_else(on_disks);
        let (logs, mutant) = (Some(options.logs.clone()), options.mutant.clone());
        let failpoints = options.faults.contains(&FaultKind::Failpoint);
        let options = FleetOptions { sync_always: options.sync, logs, mutant, failpoints, cluster };
        let mut fleet = Fleet::start_with(options).await?;
        let mut replicas: BTreeMap<Service, Vec<Replica>> = BTreeMap::new();
        for replica in fleet.take_replicas() {
            replicas.entry(replica.service).or_default().push(replica);
        }
        let (gateways, ended) = (OpenGateways::default(), Vec::new());
        gateways.open(fleet.base.clone());
        let died_at = BTreeMap::new();
        let mut testbed = Self { fleet, gateways, network, disks, replicas, ledger, pace, ended, died_at, poisoned: 0 };
        for service in SERVICES {
            testbed.fill(service, REPLICAS).await?;
        }
        if let Some(Ok(disks)) = &testbed.disks {
            disks.sync()?;
        }
        Ok(testbed)
    }

    /// Starts processes of a service until there are `many`, and waits until they are ready.
    async fn fill(&mut self, service: Service, many: usize) -> Result<()> {
        let running = self.replicas.entry(service).or_default();
        let mut fresh = Vec::new();
        for _ in running.len()..many {
            fresh.push(self.fleet.begin(service)?);
        }
        for mut replica in fresh {
            replica.until_ready().await.with_context(|| format!("{service} again"))?;
            if service == Service::Gateway {
                self.gateways.open(replica.base.clone());
            }
            running.push(replica);
        }
        Ok(())
    }

    /// Starts new processes for those that have ended, as an orchestrator does.
    pub(crate) async fn supervise(&mut self) -> Result<()> {
        for service in SERVICES {
            let running = self.replicas.entry(service).or_default();
            let mut place = 0;
            while let Some(replica) = running.get_mut(place) {
                if replica.has_ended()? {
                    self.ended.push(format!("{service} (process {}) ended by itself", replica.pid()));
                    self.gateways.close(&replica.base);
                    running.remove(place);
                } else {
                    place += 1;
                }
            }
            self.fill(service, REPLICAS).await?;
        }
        Ok(())
    }

    /// Returns why faults of this kind are left out on this machine, or `None` if they are
    /// possible.
    pub(crate) fn lacks(&self, kind: FaultKind) -> Option<String> {
        match kind {
            FaultKind::Clock => bench::fleet::lacks_wrong_clocks(),
            FaultKind::Power => self.disks.as_ref()?.as_ref().err().cloned(),
            _ => self.network.as_ref()?.lacks(kind).map(ToOwned::to_owned),
        }
    }

    /// Injects a fault, waits for its duration, calls `heals`, and ends the fault.
    pub(crate) async fn suffer(&mut self, fault: Fault, heals: impl FnOnce()) -> Result<()> {
        let Fault { kind, service, replica, lasts, other_way, point } = fault;
        if kind.needs_cluster() {
            let network = self.network.as_ref().with_context(|| format!("{kind} needs --nodes 3"))?;
            self.ended.extend(cluster::suffer(network, &mut self.fleet, fault, heals).await?);
            return self.supervise().await;
        }
        let off = if other_way { -OFF } else { OFF };
        let lasts = Duration::from_millis(lasts);
        match kind {
            FaultKind::Service | FaultKind::Pair => {
                let many = if kind == FaultKind::Pair { REPLICAS } else { 1 };
                for _ in 0..many {
                    self.take_away(service, replica)?;
                }
                sleep(lasts).await;
                heals();
                self.fill(service, REPLICAS).await?;
            }
            FaultKind::Failpoint => {
                self.take_away(service, replica)?;
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
            FaultKind::Power => {
                let [hits_nats, hits_mongo] = [0, 1].map(|server| other_way || replica == server);
                if hits_nats {
                    self.fleet.kill_nats().await;
                }
                if hits_mongo {
                    self.fleet.kill_mongo().await;
                }
                let disks = self.disks.as_ref().and_then(|disks| disks.as_ref().ok()).context("no disks")?;
                disks.lose_power([hits_nats, hits_mongo])?;
                sleep(lasts).await;
                heals();
                if hits_nats {
                    self.fleet.restart_nats().await?;
                }
                if hits_mongo {
                    self.fleet.restart_mongo().await?;
                }
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
                for base in self.gateways.all() {
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
            FaultKind::Clock => {
                let mut wrong = self.fleet.begin_at_wrong_time(service, off)?;
                wrong.until_ready().await.with_context(|| format!("{service} by a wrong clock"))?;
                self.take_away(service, replica)?;
                if service == Service::Gateway {
                    self.gateways.open(wrong.base.clone());
                }
                sleep(lasts).await;
                heals();
                self.gateways.close(&wrong.base);
                wrong.kill()?;
                self.fill(service, REPLICAS).await?;
            }
            FaultKind::Clients => {
                self.pace.set_off(off * 1_000);
                sleep(lasts).await;
                heals();
                self.pace.set_off(0);
            }
            // These kinds are handled at the beginning.
            FaultKind::Leader
            | FaultKind::Cut
            | FaultKind::Island
            | FaultKind::OneWay
            | FaultKind::HalfOpen
            | FaultKind::Slow
            | FaultKind::Followers
            | FaultKind::Full => {}
        }
        self.supervise().await
    }

    /// Kills one process of a service, if there is one.
    fn take_away(&mut self, service: Service, replica: usize) -> Result<()> {
        let running = self.replicas.entry(service).or_default();
        if !running.is_empty() {
            let mut killed = running.remove(replica.min(running.len() - 1));
            killed.kill()?;
            self.gateways.close(&killed.base);
        }
        Ok(())
    }

    /// Starts a process that ends at a failpoint, and waits until it has ended, at most [`DOOMED`].
    async fn doom(&mut self, point: Failpoint) -> Result<()> {
        let Failpoint { service, name, .. } = point;
        let (mut doomed, began) = (self.fleet.begin_doomed(service, &point.to_string())?, Instant::now());
        // The process may end before it is ready, which is no error here.
        if doomed.until_ready().await.is_ok() && service == Service::Gateway {
            self.gateways.open(doomed.base.clone());
        }
        while !doomed.has_ended()? && began.elapsed() < DOOMED {
            sleep(Duration::from_millis(10)).await;
        }
        let reached = if doomed.has_ended()? { "" } else { ", not reached" };
        self.gateways.close(&doomed.base);
        *self.died_at.entry(format!("{service} {name}{reached}")).or_default() += 1;
        Ok(())
    }

    /// Publishes messages that cannot be deserialized: one for each consumer of INGEST, and one
    /// event each of projects, directory and timetrack.
    async fn poison(&mut self) -> Result<()> {
        let jetstream = jetstream::new(self.fleet.bus().await?);
        let subjects = [
            INGEST_WINDOWS.to_owned(),
            INGEST_BATCHES.to_owned(),
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
            // The stream accepts nothing while a leader is elected, so the message is sent again.
            // It has an id, so the stream stores it once.
            let began = Instant::now();
            loop {
                let sent = async {
                    let sent = jetstream.publish_with_headers(subject.clone(), headers.clone(), payload.clone().into());
                    sent.await?.await
                };
                match sent.await {
                    Ok(_) => break,
                    Err(error) if began.elapsed() > PATIENCE => return Err(error).context("nobody takes poison"),
                    Err(_) => sleep(Duration::from_millis(200)).await,
                }
            }
        }
        Ok(())
    }

    /// Stops the system.
    pub(crate) async fn stop(self) {
        drop(self.replicas);
        self.fleet.stop().await;
    }
}
