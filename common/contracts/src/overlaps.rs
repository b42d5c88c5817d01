//! Windows that take time from other windows of the same employee. The window with the earlier
//! start counts, so one wrong long window can take the time of a whole day of other windows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Label, Millis, Page, ProjectId, TaskId, TimeRange, WindowId, message::requests};

/// The maximum number of windows that one [`Overlap`] lists in `taken_from`.
pub const OVERLAP_NAMES: usize = 20;

/// Requests the windows that touch a range and take time from other windows, ordered by employee
/// and start, page by page. A page may be empty although another page follows. If the setting
/// `COUNT_OVERLAPS` is on, no window takes time from another, and the list is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListOverlaps {
    /// The range of time.
    pub range: TimeRange,
    /// Only windows of these employees; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Only windows that are on one of these projects, or take time from a window on one of them;
    /// an empty list means all projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// The position at which the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<OverlapCursor>,
}

/// A position in the list: the last window of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverlapCursor {
    /// The employee of that window.
    pub employee_id: EmployeeId,
    /// When that window began.
    pub start: Millis,
    /// The id of that window.
    pub id: WindowId,
}

/// A window that takes time from other windows of the same employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// The id of the window.
    pub id: WindowId,
    /// The employee who the time belongs to.
    pub employee_id: EmployeeId,
    /// The project that was worked on.
    pub project_id: ProjectId,
    /// The task that was worked on.
    pub task_id: TaskId,
    /// When the window began.
    pub start: Millis,
    /// When the window ended.
    pub end: Millis,
    /// The name of the computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The time of other windows that counts for this window instead, in milliseconds. It is part
    /// of the `negativeTime` of those windows.
    #[schema(example = 28_800_000)]
    pub taken_time: i64,
    /// The number of windows that this window takes time from.
    #[schema(example = 48)]
    pub taken_from_count: u64,
    /// The part of `takenTime` in windows that another computer (another `hwid`) recorded, in
    /// milliseconds. If it is above 0, two computers recorded at the same time.
    #[schema(example = 0)]
    pub taken_from_other_computers: i64,
    /// The windows that this window takes time from: the first 20 of them.
    pub taken_from: Vec<Overlapped>,
}

/// A window that loses time to another window that started earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlapped {
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
    /// The name of the computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The time of this window that counts for the earlier window instead, in milliseconds.
    #[schema(example = 600_000)]
    pub taken_time: i64,
}

requests! {
    Timetrack: ListOverlaps => Page<Overlap, OverlapCursor>, "overlaps.list", idempotent;
}
