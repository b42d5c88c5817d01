//! The windows that the benchmark sends: any number, spread over a year, the same in every run.
//! Each prefix of the sequence is spread like the whole, so that stored data can grow without
//! changing its distribution.

use contracts::{DAY, HOUR, SECOND};

/// How many days the windows are spread over.
pub(crate) const DAYS: u64 = 365;
/// The length of a window in milliseconds: ten minutes, as the desktop app sends them.
pub(crate) const LENGTH: i64 = 600 * SECOND;
/// The time of day at which an employee's first window begins, in milliseconds after midnight UTC.
const OPENS: i64 = 8 * HOUR;
/// How many windows of one employee fit into a day, from [`OPENS`] until midnight.
const SLOTS: u64 = ((DAY - OPENS) / LENGTH) as u64;

/// The year over which the windows are spread, with the numbers of employees and tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    /// Midnight UTC at the start of the year, in milliseconds since 1970.
    pub(crate) first: i64,
    /// The number of employees, who all work every day.
    pub(crate) employees: u64,
    /// The number of tasks.
    pub(crate) tasks: u64,
}

/// A window that the benchmark sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// The index of the employee.
    pub(crate) employee: usize,
    /// The index of the task.
    pub(crate) task: usize,
    /// The start, in milliseconds since 1970-01-01 UTC.
    pub(crate) start: i64,
}

impl Calendar {
    /// Returns the calendar of the 365 days before today.
    pub(crate) fn before(now: i64, employees: u64, tasks: u64) -> Self {
        let today = now - now.rem_euclid(DAY);
        Self { first: today - DAYS as i64 * DAY, employees, tasks }
    }

    /// Returns the end of the year, exclusive, in milliseconds since 1970.
    pub(crate) fn end(&self) -> i64 {
        self.first + DAYS as i64 * DAY
    }

    /// Returns the largest possible number of windows.
    pub(crate) fn most(&self) -> u64 {
        self.employees * DAYS * SLOTS
    }

    /// Returns the window with this number. Every employee gets one window on every day before
    /// anybody gets a second one on the same day.
    pub(crate) fn window(&self, number: u64) -> Planned {
        let pairs = self.employees * DAYS;
        // The pairs of an employee and a day are numbered. The pairs of consecutive windows are
        // about 0.618 of all pairs apart. Any number of such steps is spread evenly, and a step
        // that is coprime to the number of pairs visits each pair before it repeats one.
        let step = coprime((pairs as f64 * 0.618) as u64, pairs);
        let pair = number % pairs * step % pairs;
        let (slot, day, employee) = (number / pairs, pair / self.employees, pair % self.employees);
        // An employee's task changes after three windows of a day, which is half an hour.
        let task = (employee * 31 + day * 7 + slot / 3 * 13) % self.tasks;
        let start = self.first + day as i64 * DAY + OPENS + slot as i64 * LENGTH;
        Planned { employee: employee as usize, task: task as usize, start }
    }

    /// Returns the windows with these numbers, grouped by employee and ordered by start.
    pub(crate) fn by_employee(&self, numbers: std::ops::Range<u64>) -> Vec<Vec<Planned>> {
        let mut all = vec![Vec::new(); self.employees as usize];
        for planned in numbers.map(|number| self.window(number)) {
            all[planned.employee].push(planned);
        }
        all.iter_mut().for_each(|of_one| of_one.sort_by_key(|planned| planned.start));
        all
    }
}

/// Returns the first number from `from` on that is coprime to `with`.
fn coprime(from: u64, with: u64) -> u64 {
    let divisor = |mut a: u64, mut b: u64| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (from.max(1)..).find(|number| divisor(*number, with) == 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const YEAR: Calendar = Calendar { first: 0, employees: 20, tasks: 10 };

    #[test]
    fn nobody_has_two_windows_at_once_however_many_there_are() {
        let number = 20 * DAYS * 3 + 17;
        let mut slots = HashSet::new();
        for planned in (0..number).map(|number| YEAR.window(number)) {
            assert!(slots.insert((planned.employee, planned.start)));
            assert_eq!((planned.start - OPENS).rem_euclid(DAY) % LENGTH, 0);
            assert!(planned.start >= YEAR.first && planned.start + LENGTH <= YEAR.end() && planned.task < 10);
        }
    }

    #[test]
    fn a_small_part_is_spread_over_the_year_and_everybody() {
        let of = |count: u64, key: fn(Planned) -> i64| {
            (0..count).map(|number| key(YEAR.window(number))).collect::<HashSet<_>>().len()
        };
        assert!(of(730, |planned| planned.start.div_euclid(DAY)) > 330);
        assert_eq!(of(730, |planned| planned.employee as i64), 20);
        assert_eq!(of(730, |planned| planned.task as i64), 10);
    }

    #[test]
    fn everybody_sends_their_own_windows_in_the_order_of_time() {
        let all = YEAR.by_employee(100..9_000);
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 8_900);
        for (employee, of_one) in all.iter().enumerate() {
            assert!(of_one.is_sorted_by_key(|planned| planned.start));
            assert!(of_one.iter().all(|planned| planned.employee == employee));
        }
    }
}
