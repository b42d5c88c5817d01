//! Who tracks at this moment, and who has stopped sending.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Label, Millis, ProjectId, TaskId, TimeRange, message::requests};

/// Asks who tracks: whose last window ended within the last quarter of an hour, as apps send one
/// every few minutes. The answer may be two seconds old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTracking {
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// So many come before those that are wanted.
    #[serde(default)]
    pub skip: usize,
    /// So many are wanted.
    pub limit: usize,
}

/// A part of those who track.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingNow {
    /// How many there are in all.
    pub count: usize,
    /// Those of the part, in the order in which the employees were created.
    pub people: Vec<Tracked>,
}

/// What somebody is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// Who.
    pub employee_id: EmployeeId,
    /// On which project their last window is.
    pub project_id: ProjectId,
    /// On which task.
    pub task_id: TaskId,
    /// On which computer.
    pub computer: Label,
    /// Since when they have been at work without a pause; nothing where that is longer ago than it is
    /// looked for.
    pub since: Option<Millis>,
    /// When their last window ended.
    pub until: Millis,
}

/// Asks who has time in one range and none in another: whose app used to send, and does no more. In
/// the order in which the employees were created; the answer may be a minute old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListSilent {
    /// When they worked.
    pub worked: TimeRange,
    /// When they did not.
    pub silent: TimeRange,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

requests! {
    Timetrack: ListTracking => TrackingNow, "windows.tracking", idempotent;
    Analytics: ListSilent => Vec<EmployeeId>, "time.silent", idempotent;
}
