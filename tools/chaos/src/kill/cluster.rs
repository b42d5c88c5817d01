//! What goes wrong with the servers of a cluster.

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

/// How long the query for the leader may take.
const ASKED: Duration = Duration::from_secs(3);
/// How long a server whose disk was full may take to work again by itself, before whoever runs it starts it again.
const BY_ITSELF: Duration = Duration::from_secs(5);

/// Of which kind a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nats,
    Mongo,
}

/// Starts a fault and ends it after its duration. Calls `heals` just before the repair (after it for a full disk).
/// Gives notes for the report.
pub(super) async fn suffer(
    network: &Network,
    fleet: &mut Fleet,
    fault: Fault,
    heals: impl FnOnce(),
) -> Result<Vec<String>> {
    let kind = if fault.replica == 0 { Kind::Nats } else { Kind::Mongo };
    // The leader may be unknown while the fault before this one is not over: then the first server is taken.
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
            // The disk of the leader only, or those of all servers.
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

/// The index of the leader: of the queue's stream, or of the replica set.
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
    // `nats-2`, or `10.203.0.5:27017`.
    let host = name.split(':').next().unwrap_or_default();
    let number: usize = host.rsplit(['-', '.']).next().unwrap_or_default().parse().context(name.clone())?;
    Ok(number.checked_sub(1).context("numbers begin with 1")? % NODES)
}

impl Kind {
    /// The place of one among all servers.
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

    /// Stops a server or lets it continue; its connections stay.
    fn pause(self, fleet: &mut Fleet, one: usize, stands: bool) {
        match (self, stands) {
            (Self::Nats, true) => fleet.nats()[one].pause(),
            (Self::Nats, false) => fleet.nats()[one].resume(),
            (Self::Mongo, true) => fleet.mongods()[one].pause(),
            (Self::Mongo, false) => fleet.mongods()[one].resume(),
        }
    }

    /// Whether the server still runs and says within a moment that it is healthy.
    async fn works_by_itself(self, fleet: &mut Fleet, one: usize) -> bool {
        match self {
            // A mongod that could not write ends.
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
