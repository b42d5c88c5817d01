use std::collections::HashMap;

use contracts::{CALENDAR, EmployeeId, Millis, TimeRange, WINDOW_MOST, WindowFact, WindowId};
use serde::{Deserialize, Serialize};

use super::EmployeeDay;

/// The employee and time of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) employee: EmployeeId,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
}

impl Place {
    /// The place of a fact.
    pub(crate) fn of(fact: &WindowFact) -> Self {
        Self { employee: fact.employee_id, start: fact.start, end: fact.end }
    }

    /// The UTC days that it touches.
    pub(crate) fn days(self) -> impl Iterator<Item = EmployeeDay> {
        let days = self.start.utc_day()..=(self.end - 1).utc_day();
        days.map(move |day| EmployeeDay { employee: self.employee, day })
    }
}

/// Whether a window may have the range of this fact: not empty, at most 24 hours, in the calendar.
pub(crate) fn is_sound(fact: &WindowFact) -> bool {
    let fits = |range: TimeRange| range.length() <= WINDOW_MOST;
    let in_calendar = CALENDAR.start <= fact.start.0 && fact.end.0 <= CALENDAR.end;
    in_calendar && TimeRange::new(fact.start, fact.end).is_ok_and(fits)
}

/// The fact with the highest revision of each window.
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
