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

/// For how long after a server has heard of its leader it does not help to elect another one: nats-server waits for
/// 4 s at least, and this leaves one of them for clocks that run at different speeds.
const FAITHFUL: Duration = Duration::from_secs(3);
/// How long a stream that one server alone holds is taken for one.
const ALONE: Duration = Duration::from_secs(60);
/// The pause before the leader is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// Until when there can be only one leader of EVENTS.
///
/// Of several servers, a leader that is cut off from the others goes on answering for some seconds after they have
/// elected another one, whose newer events it does not have. But nobody else can have been elected while a majority
/// has lately heard of it.
#[derive(Debug, Default)]
pub struct Lease(Mutex<Option<Instant>>);

impl Lease {
    /// Waits until the leader is certainly the only one, and gives the moment until which it is. Ask before the read, and
    /// look at the clock after it: proven afterwards, it may be that of a successor, when the old leader has answered.
    /// It waits as long as it takes: give it a limit.
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

/// Until when a leader is the only one, by what it said when it was asked then.
fn proven(info: &Info, asked: Instant) -> Option<Instant> {
    let replicas = info.cluster.as_ref().map_or(&[][..], |cluster| &cluster.replicas);
    match heard(replicas) {
        Some(heard) => (asked + FAITHFUL).checked_sub(heard),
        None => Some(asked + ALONE),
    }
}

/// How long ago a majority, the leader among it, had heard of the leader. Nothing where it is alone.
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
        // Of two, both have to vote.
        assert_eq!(heard(&replicas(&[7])), Some(Duration::from_secs(7)));
    }
}
