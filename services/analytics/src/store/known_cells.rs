use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use contracts::EmployeeId;

use super::Seen;
use crate::domain::{Cells, EmployeeDay, UtcMonth, add_up};

/// The most sums (of an employee, a day, a project and a task) that are kept of a month. One takes
/// about 100 bytes.
const MOST: usize = 50_000;
/// The most months that are kept.
const MONTHS: usize = 4;

/// For each day, the sums of each employee who has time on it, by project and task.
pub(crate) type CellsByDay = BTreeMap<i64, BTreeMap<EmployeeId, Cells>>;

/// The sums of single employees from which this process has computed the present document of a
/// month of all employees together. While nobody else changes that document, the next computation
/// needs from MongoDB only what has changed.
///
/// Whoever changes an employee's sums computes the month of all employees afterwards. So if the
/// month is still as this process has stored it, everything that is missing here will be added by
/// whoever has changed it. Within a process, only one recomputation may run at a time.
#[derive(Debug, Default)]
pub(crate) struct KnownCells(Mutex<BTreeMap<UtcMonth, Known>>);

#[derive(Debug)]
struct Known {
    /// The version of the month that was computed from these sums.
    version: i64,
    days: CellsByDay,
}

impl KnownCells {
    /// Removes a month, and returns what is known of it: the sums of whole days, with the `fresh`
    /// ones in place of those before. Nothing is known if `seen`, the present document of all
    /// employees together, has another version or, on these `days`, other sums. (After a backup was
    /// restored, another document can have the same version.)
    ///
    /// # Errors
    /// When the document cannot be read.
    pub(crate) fn take(
        &self,
        month: UtcMonth,
        seen: &Seen,
        days: &BTreeSet<i64>,
        fresh: &BTreeMap<EmployeeDay, Cells>,
    ) -> anyhow::Result<CellsByDay> {
        let known = self.all().remove(&month).filter(|known| known.version == seen.version);
        let Some(Known { days: mut known, .. }) = known else { return Ok(CellsByDay::new()) };
        for day in days {
            if let Some(of_day) = known.get(day)
                && add_up(of_day.values()) != seen.cells(*day)?
            {
                return Ok(CellsByDay::new());
            }
        }
        for (EmployeeDay { employee, day }, cells) in fresh {
            let Some(of_day) = known.get_mut(day) else { continue };
            if cells.is_empty() {
                of_day.remove(employee);
            } else {
                of_day.insert(*employee, cells.clone());
            }
        }
        Ok(known)
    }

    /// Keeps the sums from which this version of a month was computed. If they are too many, only
    /// those of the days `last` are kept, or none.
    pub(crate) fn keep(&self, month: UtcMonth, version: i64, mut days: CellsByDay, last: &BTreeSet<i64>) {
        if size(&days) > MOST {
            days.retain(|day, _| last.contains(day));
        }
        if size(&days) > MOST {
            return;
        }
        let mut all = self.all();
        if all.len() >= MONTHS && !all.contains_key(&month) {
            all.clear();
        }
        all.insert(month, Known { version, days });
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<UtcMonth, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sums of all employees together on these days.
pub(crate) fn all_together(all: &CellsByDay, days: &BTreeSet<i64>) -> BTreeMap<i64, Cells> {
    days.iter().map(|day| (*day, add_up(all.get(day).into_iter().flat_map(BTreeMap::values)))).collect()
}

fn size(days: &CellsByDay) -> usize {
    days.values().flat_map(BTreeMap::values).map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use contracts::Money;
    use uuid::Uuid;

    use super::*;
    use crate::domain::Total;

    const MONTH: UtcMonth = UtcMonth(1);

    fn cells(time: i64) -> Cells {
        let total = Total { time, costs: Money::default(), income: Money::default() };
        vec![((Uuid::from_u128(1).into(), Uuid::from_u128(2).into()), total)]
    }

    fn day(times: &[(u128, i64)]) -> BTreeMap<EmployeeId, Cells> {
        times.iter().map(|(employee, time)| (Uuid::from_u128(*employee).into(), cells(*time))).collect()
    }

    fn seen(version: i64, sum: i64) -> Seen {
        Seen::of_company(version, &[(31, cells(sum))].into()).unwrap()
    }

    fn known() -> (KnownCells, BTreeSet<i64>) {
        let (known, days) = (KnownCells::default(), [31].into());
        known.keep(MONTH, 7, [(31, day(&[(1, 10), (2, 20)]))].into(), &days);
        (known, days)
    }

    #[test]
    fn fresh_sums_replace_those_before_and_all_others_stay() {
        let (known, days) = known();
        let of = |employee| EmployeeDay { employee: Uuid::from_u128(employee).into(), day: 31 };
        let elsewhere = EmployeeDay { day: 32, ..of(1) };
        let fresh = [(of(2), cells(25)), (of(3), cells(1)), (elsewhere, cells(9)), (of(1), Vec::new())].into();
        let all = known.take(MONTH, &seen(7, 30), &days, &fresh).unwrap();
        assert_eq!(all, [(31, day(&[(2, 25), (3, 1)]))].into());
        assert_eq!(all_together(&all, &days), [(31, cells(26))].into());
        assert!(known.take(MONTH, &seen(7, 30), &days, &fresh).unwrap().is_empty(), "it was taken");
    }

    #[test]
    fn nothing_is_known_of_a_month_that_anybody_else_has_changed() {
        for other in [seen(8, 30), seen(6, 30), seen(7, 31), Seen::default()] {
            let (known, days) = known();
            assert!(known.take(MONTH, &other, &days, &BTreeMap::new()).unwrap().is_empty(), "{other:?}");
        }
        let (known, days) = known();
        known.forget();
        assert!(known.take(MONTH, &seen(7, 30), &days, &BTreeMap::new()).unwrap().is_empty());
    }

    #[test]
    fn no_more_is_kept_than_memory_is_meant_for() {
        let known = KnownCells::default();
        let many = |n: usize| (0..n as u128).map(|n| (Uuid::from_u128(n).into(), cells(1))).collect();
        known.keep(MONTH, 1, [(31, many(1)), (32, many(MOST))].into(), &[31].into());
        let kept =
            known.take(MONTH, &Seen::of_company(1, &BTreeMap::new()).unwrap(), &BTreeSet::new(), &BTreeMap::new());
        assert_eq!(kept.unwrap().into_keys().collect::<Vec<_>>(), [31]);
        known.keep(MONTH, 1, [(32, many(MOST + 1))].into(), &[32].into());
        assert!(known.all().is_empty());
        for month in 0..2 * MONTHS as i32 {
            known.keep(UtcMonth(month), 1, CellsByDay::new(), &days_of(month));
        }
        assert!(known.all().len() <= MONTHS);
    }

    fn days_of(month: i32) -> BTreeSet<i64> {
        UtcMonth(month).days().collect()
    }
}
