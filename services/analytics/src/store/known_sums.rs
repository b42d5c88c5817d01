use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use bson::Binary;
use contracts::{EmployeeId, PeriodSum, TimeRange};

use crate::domain::UtcMonth;

/// The most requests whose sums are cached.
const KEPT: usize = 4;
/// The most ranges of a request whose sums are cached. More ranges would take megabytes of memory.
const MOST_RANGES: usize = 13;

/// The sums of each employee in each of the requested ranges, in their order.
pub(crate) type Sums = BTreeMap<EmployeeId, Vec<PeriodSum>>;

/// For some UTC months, the version and the sums of the document of all employees together. After a
/// change of an employee's sums in a month, these values change too, before the event that caused
/// the change is acknowledged.
pub(crate) type MonthStates = BTreeMap<UtcMonth, (i64, Option<Binary>)>;

/// A cache of the last period sums of all employees. An entry is valid as long as its months have
/// not changed.
#[derive(Debug, Default)]
pub(crate) struct KnownSums(Mutex<VecDeque<Known>>);

#[derive(Debug)]
struct Known {
    ranges: Vec<TimeRange>,
    states: MonthStates,
    sums: Arc<Sums>,
}

impl KnownSums {
    /// The cached sums of these ranges, if they were computed from months in these states.
    pub(crate) fn get(&self, ranges: &[TimeRange], states: &MonthStates) -> Option<Arc<Sums>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().find(|known| known.ranges == ranges && known.states == *states)?;
        Some(known.sums.clone())
    }

    /// Caches sums, unless there are more than [`MOST_RANGES`] ranges. The states must have been
    /// read before the sums were computed: a change in between then gives the months a later state,
    /// and the entry is not used.
    pub(crate) fn keep(&self, ranges: Vec<TimeRange>, states: MonthStates, sums: Arc<Sums>) {
        if ranges.len() > MOST_RANGES {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.ranges != ranges);
        all.push_front(Known { ranges, states, sums });
        all.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use contracts::Millis;

    use super::*;

    fn ranges(start: i64) -> Vec<TimeRange> {
        vec![TimeRange::new(Millis(start), Millis(start + 1)).expect("a range")]
    }

    #[test]
    fn sums_are_known_for_their_ranges_and_as_long_as_their_months_are_as_they_were() {
        let (known, state) = (KnownSums::default(), |version| MonthStates::from([(UtcMonth(1), (version, None))]));
        let sums = Arc::new(Sums::from([(kit::new_id(), Vec::new())]));
        known.keep(ranges(0), state(1), sums.clone());
        assert_eq!(known.get(&ranges(0), &state(1)), Some(sums));
        assert_eq!(known.get(&ranges(0), &state(2)), None);
        assert_eq!(known.get(&ranges(7), &state(1)), None);
        assert_eq!(known.get(&ranges(0), &MonthStates::new()), None);
    }

    #[test]
    fn the_oldest_question_is_forgotten_and_a_question_is_kept_once() {
        let known = KnownSums::default();
        for n in 0..2 * KEPT as i64 {
            known.keep(ranges(n), MonthStates::new(), Arc::default());
            known.keep(ranges(n), MonthStates::new(), Arc::default());
        }
        let kept = (0..2 * KEPT as i64).filter(|n| known.get(&ranges(*n), &MonthStates::new()).is_some());
        assert_eq!(kept.collect::<Vec<_>>(), (KEPT as i64..2 * KEPT as i64).collect::<Vec<_>>());
        let many = ranges(0).repeat(MOST_RANGES + 1);
        known.keep(many.clone(), MonthStates::new(), Arc::default());
        assert!(known.get(&many, &MonthStates::new()).is_none());
    }
}
