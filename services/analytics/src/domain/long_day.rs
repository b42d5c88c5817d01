use std::cmp::Reverse;

use contracts::{EmployeeId, LongDay, LongestWindow, TimeRange, WindowFact};
use jiff::civil::Date;

/// A local day on which more time counts for an employee than the limit of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CountedDay {
    pub(crate) employee: EmployeeId,
    pub(crate) day: Date,
    /// The part of the local day that is in the report's range.
    pub(crate) range: TimeRange,
    pub(crate) time: i64,
}

/// Makes the report's row for a day, with the number of the employee's windows that are not voided
/// and reach into `day.range`, the sum of their lengths inside it, and the window with the most
/// time inside it. The facts must contain the newest fact of each such window, and no older one.
pub(crate) fn explained<'a>(day: CountedDay, facts: impl IntoIterator<Item = &'a WindowFact>) -> LongDay {
    let inside = |fact: &&WindowFact| {
        let range = TimeRange::new(fact.start, fact.end).ok()?.clip(day.range)?;
        Some(range.length())
    };
    let of_day = facts.into_iter().filter(|fact| fact.employee_id == day.employee && !fact.voided);
    let of_day: Vec<(i64, &WindowFact)> = of_day.filter_map(|fact| Some((inside(&fact)?, fact))).collect();
    let longest = of_day.iter().max_by_key(|(length, fact)| (*length, Reverse((fact.start, fact.id))));
    LongDay {
        day: day.day,
        employee_id: day.employee,
        time: day.time,
        window_time: of_day.iter().map(|(length, _)| length).sum(),
        window_count: of_day.len() as u64,
        longest: longest.map(|(_, fact)| LongestWindow {
            id: fact.id,
            project_id: fact.project_id,
            task_id: fact.task_id,
            start: fact.start,
            end: fact.end,
        }),
    }
}
