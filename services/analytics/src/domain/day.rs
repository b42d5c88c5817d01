use std::collections::{BTreeMap, BTreeSet};

use contracts::{EmployeeId, ProjectId, TaskId, TimeRange};
use serde::{Deserialize, Serialize};

use super::{Part, Place, Total};

/// A UTC day of an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EmployeeDay {
    pub(crate) employee: EmployeeId,
    /// Counted from 1970-01-01.
    pub(crate) day: i64,
}

/// What an employee's time sums up to, by project and task.
pub(crate) type Cells = BTreeMap<(ProjectId, TaskId), Total>;

/// The sums of these days, out of parts that hold all that counts in them.
pub(crate) fn cells(days: &BTreeSet<EmployeeDay>, parts: &[Part]) -> BTreeMap<EmployeeDay, Cells> {
    let mut sums: BTreeMap<EmployeeDay, Cells> = days.iter().map(|day| (*day, Cells::new())).collect();
    for part in parts {
        let Part { fact, counts } = part;
        let place = Place { employee: fact.employee_id, start: counts.start(), end: counts.end() };
        for day in place.days() {
            let total = part.within(TimeRange::of_utc_day(day.day));
            if let (Some(cells), Some(total)) = (sums.get_mut(&day), total) {
                *cells.entry((fact.project_id, fact.task_id)).or_default() += total;
            }
        }
    }
    sums
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
