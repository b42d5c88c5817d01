use super::{EmployeeMonth, Place, UtcMonth};
use contracts::{EmployeeId, TimeRange};

/// A UTC day of an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EmployeeDay {
    pub(crate) employee: EmployeeId,
    /// The number of the day, counted from 1970-01-01.
    pub(crate) day: i64,
}

impl EmployeeDay {
    /// The employee's month whose document contains this day.
    pub(crate) fn month(self) -> EmployeeMonth {
        EmployeeMonth { employee: self.employee, month: UtcMonth::of_day(self.day) }
    }

    /// The time range of the whole day.
    pub(crate) fn place(self) -> Place {
        let day = TimeRange::of_utc_day(self.day);
        Place { employee: self.employee, start: day.start(), end: day.end() }
    }
}
