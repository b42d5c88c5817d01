//! Days on which more time counts for somebody than anybody works.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Millis, Page, ProjectId, TaskId, TimeCursor, TimeRange, WindowId, Zone, message::requests};

/// Asks for the local days on which more time than this counts for an employee, in the order of
/// time, page by page. A page may hold few or none and still name a next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListLongDays {
    /// Only the part of each day inside counts.
    pub range: TimeRange,
    /// The milliseconds that a day may have without being listed.
    pub longer_than: i64,
    /// Where days begin.
    #[serde(default)]
    pub timezone: Zone,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// After this day of this employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TimeCursor>,
}

impl ListLongDays {
    /// Where a day of the answer stands.
    pub fn place(&self, day: &LongDay) -> TimeCursor {
        let begins =
            day.day.to_zoned(self.timezone.rules().clone()).map(|day| Millis(day.timestamp().as_millisecond()));
        let start = begins.unwrap_or(self.range.start()).max(self.range.start());
        TimeCursor { start, project: None, task: None, employee: Some(day.employee_id) }
    }
}

/// A long day of an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LongDay {
    /// The local day.
    #[schema(value_type = String, format = Date, example = "2026-03-01")]
    pub day: Date,
    /// Whose.
    pub employee_id: EmployeeId,
    /// The milliseconds that count.
    #[schema(example = 86_340_000)]
    pub time: i64,
    /// The milliseconds of all its windows, whether they overlap or not.
    #[schema(example = 115_140_000)]
    pub window_time: i64,
    /// How many windows it has.
    #[schema(example = 49)]
    pub window_count: u64,
    /// The window that has most of the day: the first to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<LongestWindow>,
}

/// The window that has most of a day.
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
