//! Where the time and the money went: what may be asked of analytics.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Cents, EmployeeId, Filter, ProjectId, TaskId, TimeRange, message::requests};

/// Asks for time and money by project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetProjectTime {
    /// Only the part of each window inside counts.
    pub range: TimeRange,
    /// Of whose time, on what, in which shifts.
    #[serde(flatten)]
    pub filter: Filter,
}

/// The time and the money of one project; projects without time are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectTime {
    /// The project.
    pub id: ProjectId,
    /// Milliseconds.
    #[schema(example = 3_600_000)]
    pub time: i64,
    /// What it cost, rounded to cents.
    pub costs: Cents,
    /// What it earned, rounded to cents.
    pub income: Cents,
}

/// Asks how long an employee has worked on a task, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTaskTime {
    /// Who.
    pub employee_id: EmployeeId,
    /// On what.
    pub task_id: TaskId,
}

/// How long an employee has worked on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskTime {
    /// Who.
    pub employee_id: EmployeeId,
    /// On what.
    pub task_id: TaskId,
    /// Milliseconds.
    #[schema(example = 3_600_000)]
    pub total_time_millis: i64,
}

requests! {
    Analytics: GetProjectTime => Vec<ProjectTime>, "reports.project_time", idempotent;
    Analytics: GetTaskTime => TaskTime, "reports.task_time", idempotent;
}
