use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::Message;

/// After so many failures of its own, a message is dead. Counted by us: past the server's own
/// `max_deliver` a message just lies there.
pub const MOST_FAILURES: u32 = 8;

/// The most messages whose failures are remembered. Those that succeed at another replica stay
/// behind here, and the oldest are forgotten.
const MOST_REMEMBERED: usize = 10_000;

/// How often messages of one consumer have failed by themselves in this process.
///
/// The server's count of deliveries cannot tell: it also counts those that failed because something
/// else was away, so that after an outage the first failure of its own would bury a message.
#[derive(Debug, Default)]
pub struct OwnFailures(Mutex<BTreeMap<u64, u32>>);

impl OwnFailures {
    /// Counts one more failure of a message: after how long it is to come again, or nothing where it
    /// is dead.
    pub fn again(&self, message: &Message) -> Option<Duration> {
        // What comes from no stream has no place; it cannot be buried either.
        self.count(message.info().map_or(0, |info| info.stream_sequence))
    }

    /// Forgets a message that has succeeded.
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

/// 0.1 s, doubled each time, at most 5 s. Reports wait for what comes late.
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
