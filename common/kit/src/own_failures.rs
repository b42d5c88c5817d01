use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::jetstream::Message;

/// After this many failures by its own fault, a message is moved to DEAD. The service counts the
/// failures itself, because with `max_deliver` the server would stop delivering the message without
/// telling the service.
pub const MOST_FAILURES: u32 = 8;

/// For how long a message without a handler in this program is redelivered, because a newer program
/// may have one. This is longer than a rolling update normally takes: Kubernetes reports a rolling
/// update as failed after ten minutes without progress.
const UPDATE: Duration = Duration::from_secs(900);

/// The most messages whose failures are counted. The count of a message that another replica has
/// processed is never deleted here, so the counts of the oldest messages are dropped.
const MOST_REMEMBERED: usize = 10_000;

/// Counts how often each message of a consumer has failed by its own fault in this process, and not
/// because a dependency was unreachable.
///
/// The server's count of deliveries cannot replace this count, because it includes failures during
/// an outage. After an outage, the first failure by its own fault would move a message to DEAD.
#[derive(Debug, Default)]
pub struct OwnFailures(Mutex<BTreeMap<u64, Count>>);

/// The number of failures of a message, and the time of the first one.
#[derive(Clone, Copy, Debug)]
struct Count {
    failures: u32,
    since: Instant,
}

impl OwnFailures {
    /// Counts a failure of a message. Returns the delay before the redelivery, or None when the
    /// message must be moved to DEAD.
    pub fn again(&self, message: &Message) -> Option<Duration> {
        let Count { failures, .. } = self.count(place(message));
        (failures < MOST_FAILURES).then(|| delay(failures))
    }

    /// As [`OwnFailures::again`], for a message that no handler of this program knows. The result
    /// is None only after a quarter of an hour: during a rolling update, processes of the newer
    /// program, which knows the message, may not have started yet.
    pub fn unknown(&self, message: &Message) -> Option<Duration> {
        let Count { failures, since } = self.count(place(message));
        (since.elapsed() < UPDATE).then(|| delay(failures))
    }

    /// Deletes the count of a message that was processed.
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

/// The sequence number of a message in its stream. 0 for a message without a stream, which cannot
/// be moved to DEAD.
fn place(message: &Message) -> u64 {
    message.info().map_or(0, |info| info.stream_sequence)
}

/// The delay after this many failures: 0.1 s after the first, doubled each time, at most 5 s.
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
