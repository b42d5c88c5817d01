use std::{convert::identity, sync::Arc};

use axum::{Json, extract::State, response::Response};
use contracts::{Caller, EmployeeId, GetProjectTime, GetTaskTime, ListWindows, ProjectTime, TaskId, TaskTime, Window};

use super::whole::answer_whole;
use crate::{
    App,
    auth::{Admin, AdminOrEmployee},
    error::Problem,
    extract::Params,
};

/// The windows that touch a range.
///
/// In the order of their start; whole, however long the list is.
#[utoipa::path(
    get, path = "/api/v1/analytics/window", tag = "Analytics", security(("adminKey" = [])),
    params(
        ("start" = i64, Query, description = "The first moment, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = i64, Query, description = "The first moment after, at most ten years later.", example = 1_760_086_400_000i64),
        ("employeeId" = Option<String>, Query, description = "Of these employees only: ids with commas between."),
        ("projectId" = Option<String>, Query, description = "On these projects only."),
        ("taskId" = Option<String>, Query, description = "On these tasks only."),
        ("shiftId" = Option<String>, Query, description = "In these shifts only."),
    ),
    responses((status = 200, description = "The windows.", body = Vec<Window>)),
)]
pub(super) async fn list_windows(
    State(app): State<Arc<App>>,
    Admin: Admin,
    params: Params,
) -> Result<Response, Problem> {
    let list = ListWindows {
        range: params.range()?,
        employees: params.ids("employeeId")?,
        projects: params.ids("projectId")?,
        tasks: params.ids("taskId")?,
        shifts: params.shifts("shiftId")?,
        after: None,
    };
    answer_whole(app, Caller::Admin, move |after| ListWindows { after, ..list.clone() }, identity).await
}

/// Time and money by project.
///
/// Only the part of each window that lies in the range counts; money is rounded to cents once, at
/// the end.
#[utoipa::path(
    get, path = "/api/v1/analytics/project-time", tag = "Analytics", security(("adminKey" = [])),
    params(
        ("start" = i64, Query, description = "The first moment, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = i64, Query, description = "The first moment after, at most ten years later.", example = 1_760_086_400_000i64),
        ("employeeId" = Option<String>, Query, description = "Of these employees only: ids with commas between."),
        ("projectId" = Option<String>, Query, description = "On these projects only."),
        ("taskId" = Option<String>, Query, description = "On these tasks only."),
    ),
    responses((status = 200, description = "Each project with time in the range.", body = Vec<ProjectTime>)),
)]
pub(super) async fn project_time(
    State(app): State<Arc<App>>,
    Admin: Admin,
    params: Params,
) -> Result<Json<Vec<ProjectTime>>, Problem> {
    let request = GetProjectTime {
        range: params.range()?,
        employees: params.ids("employeeId")?,
        projects: params.ids("projectId")?,
        tasks: params.ids("taskId")?,
        shifts: Vec::new(),
    };
    Ok(Json(app.ask(Caller::Admin, &request).await?))
}

/// How long an employee has worked on a task, ever.
#[utoipa::path(
    get, path = "/api/v1/analytics/task-time", tag = "Analytics", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        ("employeeId" = EmployeeId, Query, description = "Who; an employee asks for themselves only."),
        ("taskId" = TaskId, Query, description = "On what."),
    ),
    responses(
        (status = 200, description = "The time.", body = TaskTime),
        (status = 403, description = "`forbidden`: the id is another employee's."),
    ),
)]
pub(super) async fn task_time(
    State(app): State<Arc<App>>,
    AdminOrEmployee(caller): AdminOrEmployee,
    params: Params,
) -> Result<Json<TaskTime>, Problem> {
    let employee_id: EmployeeId = params.required("employeeId", "must be the id (a UUID) of an employee")?;
    let task_id = params.required("taskId", "must be the id (a UUID) of a task")?;
    if !caller.may_see(employee_id) {
        return Err(Problem::new(contracts::Code::Forbidden, "Employees may do this for themselves only."));
    }
    Ok(Json(app.ask(caller, &GetTaskTime { employee_id, task_id }).await?))
}
