//! The report of the days on which an employee has more time than a limit.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Millis, Page, ProjectId, TaskId, TimeCursor, TimeRange, WindowId, Zone, message::requests};

/// Requests the local days on which an employee has more time than a limit, ordered by day and
/// employee, page by page. A page may be empty although another page follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListLongDays {
    /// The range. If a day is only partly in the range, the part in the range counts.
    pub range: TimeRange,
    /// The limit, in milliseconds. Days with more time are listed.
    pub longer_than: i64,
    /// The time zone, which decides when days begin.
    #[serde(default)]
    pub timezone: Zone,
    /// Only days of these employees; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TimeCursor>,
}

impl ListLongDays {
    /// The position of this day in the list.
    pub fn place(&self, day: &LongDay) -> TimeCursor {
        let begins =
            day.day.to_zoned(self.timezone.rules().clone()).map(|day| Millis(day.timestamp().as_millisecond()));
        let start = begins.unwrap_or(self.range.start()).max(self.range.start());
        TimeCursor { start, project: None, task: None, employee: Some(day.employee_id) }
    }
}

/// A day on which an employee has more time than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LongDay {
    /// The local day.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    pub day: Date,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The time that counts on this day, in milliseconds.
    #[schema(example = 86_340_000)]
    pub time: i64,
    /// The time of all windows of this day in milliseconds, with overlaps counted several times.
    #[schema(example = 115_140_000)]
    pub window_time: i64,
    /// The number of windows on this day.
    #[schema(example = 49)]
    pub window_count: u64,
    /// The window with the most time on this day, which is the first one to check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<LongestWindow>,
}

/// The window with the most time on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LongestWindow {
    /// The id of the window.
    pub id: WindowId,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// When the window began.
    pub start: Millis,
    /// When the window ended.
    pub end: Millis,
}

requests! {
    Analytics: ListLongDays => Page<LongDay, TimeCursor>, "reports.long_days", idempotent;
}
