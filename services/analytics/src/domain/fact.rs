use std::collections::HashMap;

use contracts::{CALENDAR, EmployeeId, Millis, TimeRange, WINDOW_MOST, WindowFact, WindowId};
use serde::{Deserialize, Serialize};

use super::EmployeeDay;

/// An employee and a time range, for example that of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) employee: EmployeeId,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
}

impl Place {
    /// The employee and time range of a fact.
    pub(crate) fn of(fact: &WindowFact) -> Self {
        Self { employee: fact.employee_id, start: fact.start, end: fact.end }
    }

    /// The UTC days of the employee that this time range touches.
    pub(crate) fn days(self) -> impl Iterator<Item = EmployeeDay> {
        let days = self.start.utc_day()..=(self.end - 1).utc_day();
        days.map(move |day| EmployeeDay { employee: self.employee, day })
    }
}

/// Whether the time range of a fact is valid for a window: not empty, at most 24 hours, and inside
/// the calendar.
pub(crate) fn is_sound(fact: &WindowFact) -> bool {
    let fits = |range: TimeRange| range.length() <= WINDOW_MOST;
    let in_calendar = CALENDAR.start <= fact.start.0 && fact.end.0 <= CALENDAR.end;
    in_calendar && TimeRange::new(fact.start, fact.end).is_ok_and(fits)
}

/// For each window, its fact with the highest revision.
pub(crate) fn latest(facts: impl IntoIterator<Item = WindowFact>) -> HashMap<WindowId, WindowFact> {
    let mut latest: HashMap<WindowId, WindowFact> = HashMap::new();
    for fact in facts {
        match latest.get(&fact.id) {
            Some(known) if known.revision >= fact.revision => {}
            _ => drop(latest.insert(fact.id, fact)),
        }
    }
    latest
}
