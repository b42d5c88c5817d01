use std::ops::Range;

use contracts::{CALENDAR, DAY, EmployeeId, Millis, TimeRange};
use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

use super::Place;

/// A UTC month, as the number of months since January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct UtcMonth(pub(crate) i32);

/// A UTC month of an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EmployeeMonth {
    pub(crate) employee: EmployeeId,
    pub(crate) month: UtcMonth,
}

impl EmployeeMonth {
    /// The time range of the whole month.
    pub(crate) fn place(self) -> Place {
        let month = self.month.range();
        Place { employee: self.employee, start: month.start(), end: month.end() }
    }
}

impl UtcMonth {
    /// The month that contains a UTC day. The day is counted from 1970-01-01.
    pub(crate) fn of_day(day: i64) -> Self {
        let at = Millis(day.saturating_mul(DAY)).0.clamp(CALENDAR.start, CALENDAR.end);
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        let date = Offset::UTC.to_datetime(at).date();
        Self((i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1)
    }

    /// The days of this month, counted from 1970-01-01.
    pub(crate) fn days(self) -> Range<i64> {
        self.first_day()..Self(self.0 + 1).first_day()
    }

    /// The time range of this month.
    pub(crate) fn range(self) -> TimeRange {
        let days = self.days();
        let (first, last) = (TimeRange::of_utc_day(days.start), TimeRange::of_utc_day(days.end - 1));
        TimeRange::new(first.start(), last.end()).unwrap_or(first)
    }

    fn first_day(self) -> i64 {
        let (year, month) = (1970 + self.0.div_euclid(12), 1 + self.0.rem_euclid(12));
        let date = Date::new(year as i16, month as i8, 1).unwrap_or_default();
        let at = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or_default();
        Millis(at.as_millisecond()).utc_day()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_without_a_gap_and_hold_their_days() {
        let mut day = 0;
        for month in (0..2_400).map(UtcMonth) {
            assert_eq!(month.days().start, day);
            assert_eq!(UtcMonth::of_day(day), month);
            day = month.days().end;
            assert_eq!(UtcMonth::of_day(day - 1), month);
        }
        assert_eq!(UtcMonth(1).days(), 31..59);
        assert_eq!(UtcMonth::of_day(20_454), UtcMonth(56 * 12), "2026-01-01");
    }
}
