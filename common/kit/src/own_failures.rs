use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::jetstream::Message;

/// After this many failures of its own, a message is dead. The service counts them, because after its own
/// `max_deliver` the server would leave the message in the stream without a word.
pub const MOST_FAILURES: u32 = 8;

/// How long a message is kept alive that only processes of another version may know: longer than a rolling update
/// may take (Kubernetes gives one up after ten minutes).
const UPDATE: Duration = Duration::from_secs(900);

/// The most messages whose failures are counted. A message that succeeds in another replica leaves its count
/// behind here, so the oldest counts are dropped.
const MOST_REMEMBERED: usize = 10_000;

/// How often each message of a consumer has failed by its own fault, in this process.
///
/// The server's count of deliveries is no substitute: it includes failures because a dependency was away, so
/// after an outage the first failure of its own would send a message to DEAD.
#[derive(Debug, Default)]
pub struct OwnFailures(Mutex<BTreeMap<u64, Count>>);

/// The failures of a message.
#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    since: Instant,
}

impl OwnFailures {
    /// Counts a failure of a message. Gives the delay before its next delivery, or nothing when the message is
    /// dead.
    pub fn again(&self, message: &Message) -> Option<Duration> {
        let Count { failures, .. } = self.count(place(message));
        (failures < MOST_FAILURES).then(|| delay(failures))
    }

    /// As [`OwnFailures::again`], for a message that nobody of this version can process. It is dead only after a
    /// quarter of an hour: while services are updated, those that know it may not have started yet.
    pub fn unknown(&self, message: &Message) -> Option<Duration> {
        let Count { failures, since } = self.count(place(message));
        (since.elapsed() < UPDATE).then(|| delay(failures))
    }

    /// Drops the count of a message that has succeeded.
    pub fn forget(&self, message: &Message) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.is_empty()
            && let Ok(info) = message.info()
        {
            counts.remove(&info.stream_sequence);
        }
    }

    fn count(&self, place: u64) -> Count {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(place).or_insert(Count { failures: 0, since: Instant::now() });
        count.failures += 1;
        let count = *count;
        if counts.len() > MOST_REMEMBERED {
            counts.pop_first();
        }
        count
    }
}

/// A message that is in no stream has no number; it cannot go to DEAD either.
fn place(message: &Message) -> u64 {
    message.info().map_or(0, |info| info.stream_sequence)
}

/// The delay after this many failures: 0.1 s, doubled each time, at most 5 s.
fn delay(failures: u32) -> Duration {
    let doublings = failures.clamp(1, 10) - 1;
    Duration::from_millis((100 << doublings).min(5_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_five_seconds() {
        assert_eq!(delay(1), Duration::from_millis(100));
        assert_eq!(delay(2), Duration::from_millis(200));
        assert_eq!(delay(100), Duration::from_secs(5));
    }

    #[test]
    fn each_message_has_its_own_count() {
        let failures = OwnFailures::default();
        for n in 1..MOST_FAILURES {
            assert_eq!((failures.count(1).failures, failures.count(2).failures), (n, n));
        }
        assert_eq!(failures.count(3).failures, 1);
    }

    #[test]
    fn what_never_comes_again_is_forgotten_in_the_end() {
        let failures = OwnFailures::default();
        for place in 0..2 * MOST_REMEMBERED as u64 {
            failures.count(place);
        }
        assert_eq!(failures.0.lock().unwrap().len(), MOST_REMEMBERED);
        assert_eq!(failures.count(2 * MOST_REMEMBERED as u64 - 1).failures, 2, "the newest are remembered");
    }
}
