use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The shortest time between two log lines about one source.
const PAUSE: Duration = Duration::from_secs(60);
/// The most sources that are remembered. If more sources appear within a minute, the additional
/// ones are not logged; metrics count them.
const MOST: usize = 10_000;

/// Limits log lines to one a minute for each source, so that a client that is refused a thousand
/// times a second cannot fill the disk.
#[derive(Debug, Default)]
pub struct LogThrottle {
    logged: Mutex<HashMap<u64, Instant>>,
    hashed_by: RandomState,
}

impl LogThrottle {
    /// Whether a line about this source may be logged now. After a `true`, the answer is `false`
    /// for a minute.
    pub fn may_log(&self, source: impl Hash) -> bool {
        let (source, now) = (self.hashed_by.hash_one(source), Instant::now());
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MOST {
            logged.retain(|_, at| now.duration_since(*at) < PAUSE);
        }
        let is_known = logged.get(&source).is_some_and(|at| now.duration_since(*at) < PAUSE);
        if is_known || logged.len() >= MOST {
            return false;
        }
        logged.insert(source, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_is_told_of_once_a_minute() {
        let throttle = LogThrottle::default();
        assert!(throttle.may_log("one") && throttle.may_log("other"));
        assert!(!throttle.may_log("one") && !throttle.may_log("other"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = LogThrottle::default();
        let logged = (0..2 * MOST).filter(|source| throttle.may_log(source)).count();
        assert_eq!(logged, MOST);
    }
}
