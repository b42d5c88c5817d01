use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The log tells of one source at most so often.
const PAUSE: Duration = Duration::from_secs(60);
/// So many sources are remembered; of more in one minute nothing is told, metrics count them.
const MOST: usize = 10_000;

/// Says whether the log may tell of a source again: whoever is refused a thousand times a second must
/// not fill the disk.
#[derive(Debug, Default)]
pub struct Sparingly {
    told: Mutex<HashMap<u64, Instant>>,
    hashed_by: RandomState,
}

impl Sparingly {
    /// Whether nothing was told of this source for a minute; from now on something was.
    pub fn may_tell(&self, source: impl Hash) -> bool {
        let (source, now) = (self.hashed_by.hash_one(source), Instant::now());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST {
            told.retain(|_, at| now.duration_since(*at) < PAUSE);
        }
        let is_known = told.get(&source).is_some_and(|at| now.duration_since(*at) < PAUSE);
        if is_known || told.len() >= MOST {
            return false;
        }
        told.insert(source, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_is_told_of_once_a_minute() {
        let sparingly = Sparingly::default();
        assert!(sparingly.may_tell("one") && sparingly.may_tell("other"));
        assert!(!sparingly.may_tell("one") && !sparingly.may_tell("other"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let sparingly = Sparingly::default();
        let told = (0..2 * MOST).filter(|source| sparingly.may_tell(source)).count();
        assert_eq!(told, MOST);
    }
}
