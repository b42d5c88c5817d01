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

/// How long after it has heard from its leader a server elects no other one: nats-server waits for at least 4 s, and
/// one of them is left for clocks that run at different speeds.
const FAITHFUL: Duration = Duration::from_secs(3);
/// How long the answer is trusted that only one server holds the stream.
const ALONE: Duration = Duration::from_secs(60);
/// The pause before the leader is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// The time until which the known leader of EVENTS is the only one.
///
/// A leader that is cut off from the other servers continues to answer for some seconds after they have elected
/// another one, and lacks the newer events. But no other leader can be elected while a majority has recently heard
/// from this one.
#[derive(Debug, Default)]
pub struct Lease(Mutex<Option<Instant>>);

impl Lease {
    /// Waits until the leader is certainly the only one, and gives the time until which it is. Call it before the
    /// read, and compare the clock with that time after the read: a check after the read might be answered by a new
    /// leader, although the old one has answered the read. It waits without a limit, so the caller must set one.
    ///
    /// # Errors
    /// When NATS cannot be asked.
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

/// The time until which a leader is the only one, from its answer to a question at `asked`.
fn proven(info: &Info, asked: Instant) -> Option<Instant> {
    let replicas = info.cluster.as_ref().map_or(&[][..], |cluster| &cluster.replicas);
    match heard(replicas) {
        Some(heard) => (asked + FAITHFUL).checked_sub(heard),
        None => Some(asked + ALONE),
    }
}

/// The shortest time within which enough followers heard from the leader to be a majority together with it. None if
/// there is only one server.
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
        // Two servers have a majority only together.
        assert_eq!(heard(&replicas(&[7])), Some(Duration::from_secs(7)));
    }
}
