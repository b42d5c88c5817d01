//! Injects faults into the servers of a cluster.

use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::jetstream;
use bench::fleet::Fleet;
use bson::doc;
use contracts::stream;
use tokio::time::{Instant, sleep, timeout};

use super::{
    fault::{Fault, FaultKind},
    network::{Cut, NODES, Network},
};

/// How long it may take to query which server is the leader.
const ASKED: Duration = Duration::from_secs(3);
/// How long a nats-server whose disk was full may take to become healthy. After that the campaign
/// restarts the server.
const BY_ITSELF: Duration = Duration::from_secs(5);

/// The kind of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nats,
    Mongo,
}

/// Starts a fault and ends it after its duration. Calls `heals` just before the repair, or after it
/// for a full disk. Returns notes for the report.
pub(super) async fn suffer(
    network: &Network,
    fleet: &mut Fleet,
    fault: Fault,
    heals: impl FnOnce(),
) -> Result<Vec<String>> {
    let kind = if fault.replica == 0 { Kind::Nats } else { Kind::Mongo };
    // While the cluster still recovers from the previous fault, there may be no leader. Then the
    // fault hits the first server.
    let leader = timeout(ASKED, leader(fleet, kind)).await.ok().and_then(Result::ok).unwrap_or_default();
    let (place, lasts) = (kind.place(leader), Duration::from_millis(fault.lasts));
    let mut notes = Vec::new();
    match fault.kind {
        FaultKind::Leader => {
            kind.kill(fleet, leader).await;
            sleep(lasts).await;
            heals();
            kind.start_again(fleet, leader).await?;
        }
        FaultKind::Cut | FaultKind::Island | FaultKind::OneWay => {
            let cut = match (fault.kind, fault.other_way) {
                (FaultKind::Cut, _) => Cut::All,
                (FaultKind::Island, _) => Cut::Peers,
                (_, false) => Cut::Deaf,
                (_, true) => Cut::Mute,
            };
            network.cut(place, cut)?;
            sleep(lasts).await;
            heals();
            network.mend(place)?;
        }
        FaultKind::HalfOpen => {
            kind.pause(fleet, leader, true);
            sleep(lasts).await;
            heals();
            kind.pause(fleet, leader, false);
        }
        FaultKind::Slow => {
            network.slow(place)?;
            sleep(lasts).await;
            heals();
            network.hasten(place)?;
        }
        FaultKind::Followers => {
            let followers = || (0..NODES).filter(move |one| *one != leader);
            followers().for_each(|one| kind.pause(fleet, one, true));
            sleep(lasts).await;
            heals();
            followers().for_each(|one| kind.pause(fleet, one, false));
        }
        FaultKind::Full => {
            // Either the disk of the leader is full, or the disks of all servers of this kind.
            let filled: Vec<usize> = (0..NODES).filter(|one| fault.other_way || *one == leader).collect();
            for one in &filled {
                network.fill(kind.place(*one))?;
            }
            sleep(lasts).await;
            for one in &filled {
                network.make_room(kind.place(*one))?;
            }
            heals();
            for one in filled {
                if !kind.works_by_itself(fleet, one).await {
                    notes.push(format!("{kind:?} {} was started again, as its disk had been full", one + 1));
                    kind.start_again(fleet, one).await?;
                }
            }
        }
        _ => {}
    }
    Ok(notes)
}

/// Returns the index of the leader: of the stream INGEST, or of the replica set.
async fn leader(fleet: &Fleet, kind: Kind) -> Result<usize> {
    let name = match kind {
        Kind::Nats => {
            let jetstream = jetstream::new(fleet.bus().await?);
            let info = jetstream.get_stream_no_info(stream::INGEST).await?.get_info().await?;
            info.cluster.and_then(|cluster| cluster.leader).context("no leader")?
        }
        Kind::Mongo => {
            let said = fleet.mongo().await?.database("admin").run_command(doc! { "hello": 1 }).await?;
            said.get_str("primary").context("no primary")?.to_owned()
        }
    };
    // The name is `nats-2`, for example, or `10.203.0.5:27017`. The last number of the host is the
    // number of the server.
    let host = name.split(':').next().unwrap_or_default();
    let number: usize = host.rsplit(['-', '.']).next().unwrap_or_default().parse().context(name.clone())?;
    Ok(number.checked_sub(1).context("numbers begin with 1")? % NODES)
}

impl Kind {
    /// Returns the index of a server of this kind among the servers of both kinds.
    fn place(self, one: usize) -> usize {
        match self {
            Self::Nats => one,
            Self::Mongo => NODES + one,
        }
    }

    async fn kill(self, fleet: &mut Fleet, one: usize) {
        match self {
            Self::Nats => fleet.nats()[one].kill().await,
            Self::Mongo => fleet.mongods()[one].kill().await,
        }
    }

    async fn start_again(self, fleet: &mut Fleet, one: usize) -> Result<()> {
        match self {
            Self::Nats => fleet.nats()[one].start_again().await,
            Self::Mongo => fleet.mongods()[one].start_again().await,
        }
    }

    /// Suspends a server or lets it continue. Its connections stay open.
    fn pause(self, fleet: &mut Fleet, one: usize, stands: bool) {
        match (self, stands) {
            (Self::Nats, true) => fleet.nats()[one].pause(),
            (Self::Nats, false) => fleet.nats()[one].resume(),
            (Self::Mongo, true) => fleet.mongods()[one].pause(),
            (Self::Mongo, false) => fleet.mongods()[one].resume(),
        }
    }

    /// Returns whether the server works without a restart: whether mongod still runs, or
    /// nats-server reports in time that it is healthy.
    async fn works_by_itself(self, fleet: &mut Fleet, one: usize) -> bool {
        match self {
            // A mongod that cannot write ends within a moment.
            Self::Mongo => timeout(BY_ITSELF / 5, fleet.mongods()[one].exited()).await.is_err(),
            Self::Nats => {
                let (began, health) = (Instant::now(), format!("{}/healthz", fleet.nats()[one].monitor_url()));
                let Ok(http) = reqwest::Client::builder().no_proxy().timeout(BY_ITSELF).build() else { return false };
                while began.elapsed() < BY_ITSELF {
                    if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                        return true;
                    }
                    sleep(Duration::from_millis(200)).await;
                }
                false
            }
        }
    }
}
