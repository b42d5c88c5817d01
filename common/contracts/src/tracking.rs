//! Requests for employees who are tracking time now, and for those whose app has stopped sending
//! windows.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Label, Millis, ProjectId, TaskId, TimeRange, message::requests};

/// Requests the employees who are tracking time now: those whose last window ended at most 15
/// minutes ago. Apps send a window every few minutes. The reply may be two seconds old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTracking {
    /// Only these employees are included; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// The number of employees to skip at the beginning of the list.
    #[serde(default)]
    pub skip: usize,
    /// The maximum number of employees in the reply.
    pub limit: usize,
}

/// One page of the employees who are tracking time now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingNow {
    /// The number of all employees who match the request, on all pages.
    pub count: usize,
    /// The employees of this page, in the order in which they were created.
    pub people: Vec<Tracked>,
}

/// What an employee is working on now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracked {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The project of the employee's last window.
    pub project_id: ProjectId,
    /// The task of the employee's last window.
    pub task_id: TaskId,
    /// The name of the computer in the employee's last window.
    pub computer: Label,
    /// When the employee began to work without a break of more than 15 minutes; none if that may be
    /// more than three hours ago.
    pub since: Option<Millis>,
    /// When the employee's last window ended.
    pub until: Millis,
}

/// Requests the employees who have time in one range and no time in another range, for example
/// because their app has stopped sending. The reply is in the order in which the employees were
/// created, and may be a minute old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListSilent {
    /// The range in which the employees have time.
    pub worked: TimeRange,
    /// The range in which the employees have no time.
    pub silent: TimeRange,
    /// Only these employees are included; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

requests! {
    Timetrack: ListTracking => TrackingNow, "windows.tracking", idempotent;
    Analytics: ListSilent => Vec<EmployeeId>, "time.silent", idempotent;
}
