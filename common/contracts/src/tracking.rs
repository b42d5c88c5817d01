//! Employees who track now, and those whose app has stopped sending.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Label, Millis, ProjectId, TaskId, TimeRange, message::requests};

/// Asks who tracks now: employees whose last window ended at most 15 minutes ago, because apps send one every few
/// minutes. The answer may be two seconds old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTracking {
    /// Only these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// How many to skip.
    #[serde(default)]
    pub skip: usize,
    /// How many to return.
    pub limit: usize,
}

/// Some of the employees who track now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingNow {
    /// The number of all of them.
    pub count: usize,
    /// The employees, in the order in which they were created.
    pub people: Vec<Tracked>,
}

/// What an employee works on now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The project of their last window.
    pub project_id: ProjectId,
    /// The task of their last window.
    pub task_id: TaskId,
    /// The computer of their last window.
    pub computer: Label,
    /// When they began to work without a break; none if that is too long ago to be searched.
    pub since: Option<Millis>,
    /// When their last window ended.
    pub until: Millis,
}

/// Asks for employees with time in one range and none in another, such as those whose app has stopped sending.
/// They come in the order in which they were created. The answer may be a minute old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListSilent {
    /// The range in which they worked.
    pub worked: TimeRange,
    /// The range in which they did not work.
    pub silent: TimeRange,
    /// Only these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

requests! {
    Timetrack: ListTracking => TrackingNow, "windows.tracking", idempotent;
    Analytics: ListSilent => Vec<EmployeeId>, "time.silent", idempotent;
}
