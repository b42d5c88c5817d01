use std::{convert::identity, sync::Arc};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    CreateTask, DeleteTask, GetTask, ListTasks, ProjectId, Task, TaskChanges, TaskId, TaskSummary, UpdateTask,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    created::created,
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::{Admin, AdminOrEmployee},
    error::Problem,
    etags::Seen,
    extract::{Body, Listing, OnlyIf, Paging, Params, PathId},
};

/// Create a task.
#[utoipa::path(
    post, path = "/api/v1/task", tag = "Tasks", security(("adminKey" = [])),
    request_body(content = CreateTask, example = json!({
        "name": "Landing page", "projectId": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071",
        "employees": ["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072"], "status": "To Do", "priority": "High"
    })),
    responses(
        (status = 201, description = "Created.", body = Task),
        (status = 400, description = "`unknown_project`, `not_on_project`, `unknown_status`, `unknown_priority`: the project is not there, or has no such employee, status or priority."),
    ),
)]
pub(super) async fn create_task(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(request): Body<CreateTask>,
) -> Result<Response, Problem> {
    let task: Task = asker.ask(&app, request).await?;
    Ok(created(format!("/api/v1/task/{}", task.id), task))
}

/// A list of tasks, with all fields or as employees see them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the two forms of the answer, for the documentation")]
pub(super) enum TasksSeen {
    /// The tasks with all fields, for admins and managers.
    Whole(Vec<Task>),
    /// For an employee: the tasks of projects that they are a member of.
    Summaries(Vec<TaskSummary>),
}

/// List all tasks, or those of a project.
///
/// An employee sees the tasks of projects that they are a member of.
#[utoipa::path(
    get, path = "/api/v1/task", tag = "Tasks", security(("adminKey" = []), ("employeeToken" = [])),
    params(("projectId" = Option<ProjectId>, Query, description = "Of this project only."), Paging),
    responses(
        (status = 200, description = "The tasks.", body = TasksSeen),
        (status = 404, description = "`not_found`: there is no such project, or not for this caller."),
    ),
)]
pub(super) async fn list_tasks(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let project_id = params.get("projectId", "must be the id (a UUID) of one project")?;
    let ask = ListTasks { project_id, after: None };
    let own = asker.own();
    let list = List { app, asker, listing, form: Form::Json };
    match own {
        None => list.answer(ask, identity).await,
        Some(_) => list.answer(ask, TaskSummary::from).await,
    }
}

impl ListRequest for ListTasks {
    type Item = Task;
    type Place = TaskId;

    fn after(&self, after: Option<TaskId>) -> Self {
        Self { after, ..*self }
    }

    fn place(&self, item: &Task) -> TaskId {
        item.id
    }
}

/// Get one task.
///
/// An employee sees only tasks of projects that they are a member of.
#[utoipa::path(
    get, path = "/api/v1/task/{id}", tag = "Tasks", security(("adminKey" = []), ("employeeToken" = [])),
    params(("id" = TaskId, Path, description = "Which.")),
    responses((status = 200, description = "The task.", body = Task)),
)]
pub(super) async fn get_task(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    PathId(id): PathId<TaskId>,
) -> Result<Seen<Task>, Problem> {
    Ok(Seen(asker.ask(&app, GetTask { id }).await?))
}

/// Change a task.
#[utoipa::path(
    put, path = "/api/v1/task/{id}", tag = "Tasks", security(("adminKey" = [])),
    params(("id" = TaskId, Path, description = "Which.")),
    request_body(content = TaskChanges, example = json!({"status": "In Progress"})),
    responses(
        (status = 200, description = "Changed.", body = Task),
        (status = 400, description = "`nothing_to_change`: the body names no field. Otherwise as when it is created."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn update_task(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<TaskId>,
    Body(changes): Body<TaskChanges>,
) -> Result<Json<Task>, Problem> {
    Ok(Json(asker.ask(&app, only_if.on(UpdateTask { id, changes })).await?))
}

/// Delete a task.
///
/// Recorded time is kept.
#[utoipa::path(
    delete, path = "/api/v1/task/{id}", tag = "Tasks", security(("adminKey" = [])),
    params(("id" = TaskId, Path, description = "Which.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn delete_task(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<TaskId>,
) -> Result<StatusCode, Problem> {
    asker.ask(&app, only_if.on(DeleteTask { id })).await?;
    Ok(StatusCode::NO_CONTENT)
}
