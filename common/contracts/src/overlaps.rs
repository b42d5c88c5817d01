//! Windows that take time from others: where every second counts once, the earlier start wins, so
//! one long window can swallow a whole day of others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Label, Millis, Page, ProjectId, TaskId, TimeRange, WindowId, message::requests};

/// The most windows that one [`Overlap`] names of those that it takes time from.
pub const OVERLAP_NAMES: usize = 20;

/// Asks for the windows that touch a range and take time from others, by employee and start, page
/// by page. A page may hold few or none and still name a next one. Where overlaps are counted
/// (`COUNT_OVERLAPS`) there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListOverlaps {
    /// The range.
    pub range: TimeRange,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Only where the window, or one that it takes time from, is on one of these projects, if any
    /// are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// After this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<OverlapCursor>,
}

/// A place in the list of overlaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverlapCursor {
    /// Whose the last window was.
    pub employee_id: EmployeeId,
    /// When it began.
    pub start: Millis,
    /// Its id.
    pub id: WindowId,
}

/// A window that takes time from others of the same employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// The window's id.
    pub id: WindowId,
    /// Whose it is.
    pub employee_id: EmployeeId,
    /// The project worked on.
    pub project_id: ProjectId,
    /// The task worked on.
    pub task_id: TaskId,
    /// When it began.
    pub start: Millis,
    /// When it ended.
    pub end: Millis,
    /// The name of its computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The milliseconds of other windows that count for this one: they are their `negativeTime`.
    #[schema(example = 28_800_000)]
    pub taken_time: i64,
    /// From how many windows.
    #[schema(example = 48)]
    pub taken_from_count: u64,
    /// The milliseconds of it that another computer (another `hwid`) recorded: above 0, the same
    /// person was on two machines at once.
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
    /// The name of its computer.
    #[schema(value_type = String)]
    pub computer: Label,
    /// The milliseconds of it that count for the earlier window.
    #[schema(example = 600_000)]
    pub taken_time: i64,
}

requests! {
    Timetrack: ListOverlaps => Page<Overlap, OverlapCursor>, "overlaps.list", idempotent;
}
