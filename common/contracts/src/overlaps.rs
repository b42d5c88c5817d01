//! Windows that take time from others. The earlier start wins, so one long window can replace a whole day of
//! others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Label, Millis, Page, ProjectId, TaskId, TimeRange, WindowId, message::requests};

/// The most windows that one [`Overlap`] lists of those that it takes time from.
pub const OVERLAP_NAMES: usize = 20;

/// Asks for windows that touch a range and take time from others, ordered by employee and start, page by page. A
/// page may be empty although another one follows. With `COUNT_OVERLAPS` there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListOverlaps {
    /// The range.
    pub range: TimeRange,
    /// Only windows of these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Only if the window, or one that it takes time from, is on one of these projects; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// Where the previous page ended; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<OverlapCursor>,
}

/// A position in the list of overlaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverlapCursor {
    /// The employee of the last window.
    pub employee_id: EmployeeId,
    /// When the last window began.
    pub start: Millis,
    /// The id of the window.
    pub id: WindowId,
}

/// A window that takes time from other windows of the same employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// The window's id.
    pub id: WindowId,
    /// The employee whose time it is.
    pub employee_id: EmployeeId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// When it began.
    pub start: Millis,
    /// When it ended.
    pub end: Millis,
    /// The name of the computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The milliseconds of other windows that count for this one instead. They are part of those windows'
    /// `negativeTime`.
    #[schema(example = 28_800_000)]
    pub taken_time: i64,
    /// The number of windows that it takes time from.
    #[schema(example = 48)]
    pub taken_from_count: u64,
    /// The milliseconds of these that another computer (another `hwid`) recorded. Above 0, the same person was on
    /// two computers at once.
    #[schema(example = 0)]
    pub taken_from_other_computers: i64,
    /// The first of these windows, at most 20.
    pub taken_from: Vec<Overlapped>,
}

/// A window that loses time to an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlapped {
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
    /// The name of the computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The milliseconds that count for the earlier window instead.
    #[schema(example = 600_000)]
    pub taken_time: i64,
}

requests! {
    Timetrack: ListOverlaps => Page<Overlap, OverlapCursor>, "overlaps.list", idempotent;
}
