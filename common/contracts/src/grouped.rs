//! Reports of time and money. The request names the fields that the rows are grouped by.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Filter, Millis, Page, ProjectId, TaskId, TimeRange, Zone, message::requests};

/// A field that the rows of a report can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// The project that was worked on.
    Project,
    /// The task that was worked on.
    Task,
    /// The employee who the time belongs to.
    Employee,
    /// The local day. It begins at its first midnight; if the clock skips midnight, at the first
    /// moment after the gap.
    Day,
    /// The local week, which begins on Monday.
    Week,
    /// The local month.
    Month,
}

/// The error for a text that is not the name of a [`Grouping`]. The error does not contain the
/// text.
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

/// Requests a report of time and money. An admin gets the time of everybody, and an employee only
/// their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTime {
    /// The range of the report. If a window is only partly in the range, the part in the range
    /// counts.
    pub range: TimeRange,
    /// The fields to group the rows by. Without any, the report has one row.
    pub group_by: BTreeSet<Grouping>,
    /// The time zone, which decides when days, weeks and months begin.
    #[serde(default)]
    pub timezone: Zone,
    /// The time to report.
    #[serde(flatten)]
    pub filter: Filter,
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TimeCursor>,
}

impl GetTime {
    /// The position of this row in the report.
    pub fn place(&self, row: &TimeRow) -> TimeCursor {
        let begins =
            |day: Date| Some(Millis(day.to_zoned(self.timezone.rules().clone()).ok()?.timestamp().as_millisecond()));
        let days = [row.day, row.week, row.month.map(|month| month.0)];
        let start = days.into_iter().flatten().filter_map(begins).fold(self.range.start(), Millis::max);
        TimeCursor { start, project: row.project, task: row.task, employee: row.employee }
    }
}

/// The time and money of one group, with the values of the fields that were grouped by. Rows are
/// ordered by day, week or month, then by project, task and employee. A group without time has no
/// row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeRow {
    /// The local day, if the report is grouped by day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-01")]
    pub day: Option<Date>,
    /// The Monday of the local week, if the report is grouped by week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-23")]
    pub week: Option<Date>,
    /// The local month, if the report is grouped by month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<YearMonth>,
    /// The project, if the report is grouped by project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The task, if the report is grouped by task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The employee, if the report is grouped by employee.
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

/// A position in the rows of a [`GetTime`] report: the last row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeCursor {
    /// The latest of these moments: the start of the range, and the beginnings of that row's day,
    /// week and month, if the row has them.
    pub start: Millis,
    /// The project of that row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The task of that row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The employee of that row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<EmployeeId>,
}

/// A calendar month, written like `2026-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "2026-03")]
pub struct YearMonth(Date);

/// The error for a text that is not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a month such as 2026-03")]
pub struct InvalidMonth;

impl YearMonth {
    /// The month that contains a day.
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// The first day of the month.
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
        // The range begins at 13:30 of this day in local time, so this row begins with the range
        // and not with the day.
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
