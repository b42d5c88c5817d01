use std::time::Duration;

use async_nats::jetstream::{
    self,
    stream::{Info, PeerInfo},
};
use contracts::stream;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::Error;

/// For how long a server that has heard from its leader elects no other leader. nats-server waits
/// at least 4 s; one second is subtracted, because the clocks of two machines may run at different
/// speeds.
const FAITHFUL: Duration = Duration::from_secs(3);
/// How long to rely on the answer that only one server has the stream.
const ALONE: Duration = Duration::from_secs(60);
/// The pause before the state of the stream is requested again.
const PAUSE: Duration = Duration::from_millis(50);

/// The time until which the known leader of EVENTS is certainly the only leader.
///
/// A leader that is cut off from the other servers still answers for some seconds after they have
/// elected another leader, and lacks the newer events. But no other leader can be elected while a
/// majority of the servers has recently heard from this one.
#[derive(Debug, Default)]
pub struct Lease(Mutex<Option<Instant>>);

impl Lease {
    /// Waits until the leader is certainly the only one, and returns the time until which this is
    /// certain. Call it before a read from the stream, and compare the clock with that time after
    /// the read. To call it only after the read is not enough: a new leader might answer, although
    /// the old leader has answered the read. It waits without a limit, so the caller must set one.
    ///
    /// # Errors
    /// When NATS cannot be reached.
    pub async fn until(&self, jetstream: &jetstream::Context) -> Result<Instant, Error> {
        let mut until = self.0.lock().await;
        loop {
            if let Some(until) = until.filter(|until| *until > Instant::now()) {
                return Ok(until);
            }
            let asked = Instant::now();
            let events = jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
            *until = proven(&events.get_info().await.map_err(nats)?, asked);
            if until.is_none_or(|until| until <= Instant::now()) {
                sleep(PAUSE).await;
            }
        }
    }
}

/// The time until which the leader is certainly the only one, from its answer to a request that was
/// sent at `asked`.
fn proven(info: &Info, asked: Instant) -> Option<Instant> {
    let replicas = info.cluster.as_ref().map_or(&[][..], |cluster| &cluster.replicas);
    match heard(replicas) {
        Some(heard) => (asked + FAITHFUL).checked_sub(heard),
        None => Some(asked + ALONE),
    }
}

/// The time since the leader last had contact with enough followers to form a majority with them.
/// None if there is only one server.
fn heard(replicas: &[PeerInfo]) -> Option<Duration> {
    let mut heard: Vec<Duration> = replicas.iter().map(|replica| replica.active).collect();
    heard.sort_unstable();
    let others = heard.len().div_ceil(2);
    heard.get(others.checked_sub(1)?).copied()
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replicas(seconds: &[u64]) -> Vec<PeerInfo> {
        let replica = |seconds: &u64| PeerInfo {
            name: "another".into(),
            current: true,
            active: Duration::from_secs(*seconds),
            offline: false,
            lag: None,
        };
        seconds.iter().map(replica).collect()
    }

    #[test]
    fn of_three_servers_one_follower_makes_a_majority_and_of_five_two() {
        assert_eq!(heard(&replicas(&[])), None);
        assert_eq!(heard(&replicas(&[900, 1])), Some(Duration::from_secs(1)));
        assert_eq!(heard(&replicas(&[900, 2, 900, 1])), Some(Duration::from_secs(2)));
        // Of two servers, only both together are a majority.
        assert_eq!(heard(&replicas(&[7])), Some(Duration::from_secs(7)));
    }
}
