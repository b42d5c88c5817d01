//! Reports of time and money by project and by task.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Filter, ProjectId, TaskId, TimeRange, message::requests};

/// Requests the time and money of each project in a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetProjectTime {
    /// The range of the report. If a window is only partly in the range, the part in the range
    /// counts.
    pub range: TimeRange,
    /// The employees, projects, tasks and shifts whose time is reported.
    #[serde(flatten)]
    pub filter: Filter,
}

/// The time and money of one project. Projects without time are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectTime {
    /// The id of the project.
    pub id: ProjectId,
    /// The time, in milliseconds.
    #[schema(example = 3_600_000)]
    pub time: i64,
    /// The cost, rounded to cents.
    pub costs: Cents,
    /// The income, rounded to cents.
    pub income: Cents,
}

/// Requests the total time that an employee has worked on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTaskTime {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The id of the task.
    pub task_id: TaskId,
}

/// The total time that an employee has worked on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskTime {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The id of the task.
    pub task_id: TaskId,
    /// The time, in milliseconds.
    #[schema(example = 3_600_000)]
    pub total_time_millis: i64,
}

requests! {
    Analytics: GetProjectTime => Vec<ProjectTime>, "reports.project_time", idempotent;
    Analytics: GetTaskTime => TaskTime, "reports.task_time", idempotent;
}
