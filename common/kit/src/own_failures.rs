use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::Message;

/// After this many failures of its own, a message is dead. Counted here, because the server leaves a message
/// in the stream without a word after its own `max_deliver`.
pub const MOST_FAILURES: u32 = 8;

/// The most messages whose failures are counted. A message that succeeds in another replica leaves its count
/// behind here, so the oldest counts are dropped.
const MOST_REMEMBERED: usize = 10_000;

/// How often each message of a consumer has failed by its own fault, in this process.
///
/// The server's count of deliveries is no substitute: it includes failures because a dependency was away, so
/// after an outage the first failure of its own would send a message to DEAD.
#[derive(Debug, Default)]
pub struct OwnFailures(Mutex<BTreeMap<u64, u32>>);

impl OwnFailures {
    /// Counts a failure of a message. Gives the delay before its next delivery, or nothing when the message is
    /// dead.
    pub fn again(&self, message: &Message) -> Option<Duration> {
        // A message that is in no stream has no number; it cannot go to DEAD either.
        self.count(message.info().map_or(0, |info| info.stream_sequence))
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

    fn count(&self, place: u64) -> Option<Duration> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = counts.entry(place).or_default();
        *failures += 1;
        let failures = *failures;
        if counts.len() > MOST_REMEMBERED {
            counts.pop_first();
        }
        (failures < MOST_FAILURES).then(|| delay(failures))
    }
}

/// The delay after so many failures: 0.1 s, doubled each time, at most 5 s.
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
        for _ in 1..MOST_FAILURES {
            assert!(failures.count(1).is_some() && failures.count(2).is_some());
        }
        assert_eq!(failures.count(1), None);
        assert_eq!(failures.count(1), None, "burying it has failed, and it came again");
        assert_eq!(failures.count(2), None);
        assert_eq!(failures.count(3), Some(delay(1)));
    }

    #[test]
    fn what_never_comes_again_is_forgotten_in_the_end() {
        let failures = OwnFailures::default();
        for place in 0..2 * MOST_REMEMBERED as u64 {
            failures.count(place);
        }
        assert_eq!(failures.0.lock().unwrap().len(), MOST_REMEMBERED);
        assert_eq!(failures.count(2 * MOST_REMEMBERED as u64 - 1), Some(delay(2)), "the newest are remembered");
    }
}
