use std::collections::{BTreeMap, BTreeSet};

use super::{EmployeeMonth, UtcMonth};
use contracts::{EmployeeId, TimeRange};

/// A UTC day of an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EmployeeDay {
    pub(crate) employee: EmployeeId,
    /// Counted from 1970-01-01.
    pub(crate) day: i64,
}

impl EmployeeDay {
    /// The month whose document holds it.
    pub(crate) fn month(self) -> EmployeeMonth {
        EmployeeMonth { employee: self.employee, month: UtcMonth::of_day(self.day) }
    }
}

/// Days that follow each other without a gap, and the employees who need just these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) range: TimeRange,
    pub(crate) employees: Vec<EmployeeId>,
}

/// The days, in as few questions to the database as it takes: what comes in live is today for all
/// employees, what is imported is one employee's days in a row.
pub(crate) fn runs(days: &BTreeSet<EmployeeDay>) -> Vec<Run> {
    let mut rows: Vec<(EmployeeId, i64, i64)> = Vec::new();
    for EmployeeDay { employee, day } in days.iter().copied() {
        match rows.last_mut() {
            Some((who, _, end)) if *who == employee && *end == day => *end += 1,
            _ => rows.push((employee, day, day + 1)),
        }
    }
    let mut by_days: BTreeMap<(i64, i64), Vec<EmployeeId>> = BTreeMap::new();
    for (employee, first, end) in rows {
        by_days.entry((first, end)).or_default().push(employee);
    }
    let range = |first, end| {
        let (first, last) = (TimeRange::of_utc_day(first), TimeRange::of_utc_day(end - 1));
        TimeRange::new(first.start(), last.end()).unwrap_or(first)
    };
    by_days.into_iter().map(|((first, end), employees)| Run { range: range(first, end), employees }).collect()
}
