//! Reports of time and money, grouped by what the request names.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Filter, Millis, Page, ProjectId, TaskId, TimeRange, Zone, message::requests};

/// What a report can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// The project worked on.
    Project,
    /// The task worked on.
    Task,
    /// The employee whose time it is.
    Employee,
    /// The local day. It begins at its first midnight, or at the first moment after a midnight that the clock
    /// skips.
    Day,
    /// The local week, from Monday on.
    Week,
    /// The local month.
    Month,
}

/// A text that is no [`Grouping`]. The error never contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one or more of project, task, employee, day, week, month, with commas between")]
pub struct UnknownGrouping;

impl FromStr for Grouping {
    type Err = UnknownGrouping;

    fn from_str(word: &str) -> Result<Self, UnknownGrouping> {
        Ok(match word {
            "project" => Self::Project,
            "task" => Self::Task,
            "employee" => Self::Employee,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            _ => return Err(UnknownGrouping),
        })
    }
}

/// Asks for a report. An admin asks about everybody, an employee about themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTime {
    /// The range of the report. Of a window that is only partly inside, that part counts.
    pub range: TimeRange,
    /// What to group by; without any, the report has one row.
    pub group_by: BTreeSet<Grouping>,
    /// The time zone that decides where days, weeks and months begin.
    #[serde(default)]
    pub timezone: Zone,
    /// Which time to report.
    #[serde(flatten)]
    pub filter: Filter,
    /// Where the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TimeCursor>,
}

impl GetTime {
    /// The position of a row of the report.
    pub fn place(&self, row: &TimeRow) -> TimeCursor {
        let begins =
            |day: Date| Some(Millis(day.to_zoned(self.timezone.rules().clone()).ok()?.timestamp().as_millisecond()));
        let days = [row.day, row.week, row.month.map(|month| month.0)];
        let start = days.into_iter().flatten().filter_map(begins).fold(self.range.start(), Millis::max);
        TimeCursor { start, project: row.project, task: row.task, employee: row.employee }
    }
}

/// The time and money of one group, with the keys that were grouped by. Rows are ordered by time, project, task
/// and employee; groups without time are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeRow {
    /// The local day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-01")]
    pub day: Option<Date>,
    /// The Monday of the local week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-23")]
    pub week: Option<Date>,
    /// The local month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<YearMonth>,
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
    /// The time, in milliseconds.
    #[schema(example = 3_600_000)]
    pub time: i64,
    /// The cost, rounded to cents.
    pub costs: Cents,
    /// The income, rounded to cents.
    pub income: Cents,
}

/// A position in the rows of a [`GetTime`] report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeCursor {
    /// The start of the last row's day, week or month, as far as it is in the range.
    pub start: Millis,
    /// Its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Its employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

/// A calendar month, written as 2026-03.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "2026-03")]
pub struct YearMonth(Date);

/// A text that is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a month such as 2026-03")]
pub struct InvalidMonth;

impl YearMonth {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// Its first day.
    pub const fn first_day(self) -> Date {
        self.0
    }
}

impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl From<YearMonth> for String {
    fn from(month: YearMonth) -> Self {
        month.to_string()
    }
}

impl TryFrom<String> for YearMonth {
    type Error = InvalidMonth;

    fn try_from(text: String) -> Result<Self, InvalidMonth> {
        format!("{text}-01").parse().map(Self).map_err(|_| InvalidMonth)
    }
}

requests! {
    Analytics: GetTime => Page<TimeRow, TimeCursor>, "reports.time", idempotent;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grouping_is_read_by_the_word_it_is_written_with_and_nothing_else_is() {
        for word in ["project", "task", "employee", "day", "week", "month"] {
            let grouping: Grouping = word.parse().expect("a grouping");
            assert_eq!(serde_json::to_value(grouping).expect("JSON"), word);
        }
        for word in ["", "Day", "year", "day,week"] {
            assert_eq!(word.parse::<Grouping>(), Err(UnknownGrouping));
        }
    }

    #[test]
    fn a_row_stands_where_its_day_begins_in_the_zone_or_the_range_does() {
        let range = TimeRange::new(Millis(1_772_352_000_000), Millis(1_775_000_000_000)).expect("a range");
        let ask = GetTime {
            range,
            group_by: BTreeSet::new(),
            timezone: "Asia/Kolkata".parse().expect("a zone"),
            filter: Filter::default(),
            after: None,
        };
        let none = Cents(0);
        let row = TimeRow {
            day: None,
            week: None,
            month: None,
            project: None,
            task: None,
            employee: None,
            time: 1,
            costs: none,
            income: none,
        };
        let start = |row| ask.place(&row).start;
        let day = |day| Some(jiff::civil::date(2026, 3, day));
        assert_eq!(start(row.clone()), range.start());
        // The range begins at 13:30 local time of that day.
        assert_eq!(start(TimeRow { day: day(1), ..row.clone() }), range.start());
        let second = Millis(1_772_389_800_000);
        assert_eq!(start(TimeRow { day: day(2), ..row.clone() }), second);
        let month = Some(YearMonth::of(jiff::civil::date(2026, 3, 9)));
        assert_eq!(start(TimeRow { week: day(2), month, ..row }), second);
    }

    #[test]
    fn a_month_is_written_with_four_and_two_digits() {
        let month = YearMonth::of(jiff::civil::date(2026, 3, 31));
        assert_eq!(month.to_string(), "2026-03");
        assert_eq!(YearMonth::try_from("2026-03".to_owned()), Ok(month));
        assert_eq!(YearMonth::try_from("2026-13".to_owned()), Err(InvalidMonth));
    }
}
