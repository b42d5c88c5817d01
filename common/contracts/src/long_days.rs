//! Days with more time for an employee than anybody works.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Millis, Page, ProjectId, TaskId, TimeCursor, TimeRange, WindowId, Zone, message::requests};

/// Asks for the local days of employees with more time than a limit, ordered by time, page by page. A page may be
/// empty although another one follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListLongDays {
    /// The range; of a day that is only partly inside, that part counts.
    pub range: TimeRange,
    /// The limit in milliseconds: longer days are listed.
    pub longer_than: i64,
    /// The time zone that decides where days begin.
    #[serde(default)]
    pub timezone: Zone,
    /// Only days of these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Where the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TimeCursor>,
}

impl ListLongDays {
    /// The position of a day of the answer.
    pub fn place(&self, day: &LongDay) -> TimeCursor {
        let begins =
            day.day.to_zoned(self.timezone.rules().clone()).map(|day| Millis(day.timestamp().as_millisecond()));
        let start = begins.unwrap_or(self.range.start()).max(self.range.start());
        TimeCursor { start, project: None, task: None, employee: Some(day.employee_id) }
    }
}

/// A day of an employee with more time than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LongDay {
    /// The local day.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    pub day: Date,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The time that counts, in milliseconds.
    #[schema(example = 86_340_000)]
    pub time: i64,
    /// The time of all its windows in milliseconds, overlaps included.
    #[schema(example = 115_140_000)]
    pub window_time: i64,
    /// The number of its windows.
    #[schema(example = 49)]
    pub window_count: u64,
    /// The window with the most time on the day, which is the first to check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<LongestWindow>,
}

/// The window with the most time on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LongestWindow {
    /// The window's id.
    pub id: WindowId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// When it began.
    pub start: Millis,
    /// When it ended.
    pub end: Millis,
}

requests! {
    Analytics: ListLongDays => Page<LongDay, TimeCursor>, "reports.long_days", idempotent;
}
