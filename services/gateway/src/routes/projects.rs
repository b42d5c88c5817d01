use std::{convert::identity, sync::Arc};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    CreateProject, DeleteProject, GetProject, ListProjects, Project, ProjectChanges, ProjectId, ProjectSummary, Tag,
    UpdateProject,
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
    etags::{Changeable, Seen},
    extract::{Body, Listing, OnlyIf, Paging, Params, PathId},
};

/// Create a project.
#[utoipa::path(
    post, path = "/api/v1/project", tag = "Projects", security(("adminKey" = [])),
    request_body(content = CreateProject, example = json!({
        "name": "Website relaunch", "employees": ["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071"],
        "payroll": {"*": {"billRate": 50.0, "overtimeBillRate": 75.0}}
    })),
    responses(
        (status = 201, description = "Created.", body = Project),
        (status = 400, description = "`unknown_employee`, `employee_deactivated`: somebody cannot be put on it. `payroll_not_on_project`: the payroll names somebody who is not on it."),
    ),
)]
pub(super) async fn create_project(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(request): Body<CreateProject>,
) -> Result<Response, Problem> {
    let project: Project = asker.ask(&app, request).await?;
    Ok(created(format!("/api/v1/project/{}", project.id), project))
}

/// List all projects that are not archived, or all archived ones.
#[utoipa::path(
    get, path = "/api/v1/project", tag = "Projects", security(("adminKey" = [])),
    params(
        ("archived" = Option<bool>, Query, description = "With `true` those that are archived; else those that are not."),
        Paging,
    ),
    responses((status = 200, description = "The projects.", body = Vec<Project>)),
)]
pub(super) async fn list_projects(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let archived = params.get("archived", "must be true or false")?.unwrap_or_default();
    let list = List { app, asker, listing, form: Form::Json };
    list.answer(ListProjects { after: None, archived }, identity).await
}

impl ListRequest for ListProjects {
    type Item = Project;
    type Place = ProjectId;

    fn after(&self, after: Option<ProjectId>) -> Self {
        Self { after, ..*self }
    }

    fn place(&self, item: &Project) -> ProjectId {
        item.id
    }
}

/// A project, with all fields or as its employees see it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ProjectSeen {
    /// The project with all fields, for admins and managers.
    Whole(Project),
    /// The project without rates and settings, for its employees.
    Summary(ProjectSummary),
}

impl Changeable for ProjectSeen {
    fn parts(&self) -> Vec<Tag> {
        match self {
            Self::Whole(project) => project.parts(),
            // Employees get no tag of the project, because the tag is a hash of fields that they
            // must not see, and could reveal something about them.
            Self::Summary(_) => Vec::new(),
        }
    }
}

/// Get one project.
///
/// An employee sees only projects that they are a member of, without rates and settings. A manager
/// sees the projects of the manager and of their team members, with only these members and their
/// rates.
#[utoipa::path(
    get, path = "/api/v1/project/{id}", tag = "Projects", security(("adminKey" = []), ("employeeToken" = [])),
    params(("id" = ProjectId, Path, description = "Which.")),
    responses((status = 200, description = "The project.", body = ProjectSeen)),
)]
pub(super) async fn get_project(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    PathId(id): PathId<ProjectId>,
) -> Result<Seen<ProjectSeen>, Problem> {
    let project = asker.ask(&app, GetProject { id }).await?;
    Ok(Seen(match asker.own() {
        None => ProjectSeen::Whole(project),
        Some(_) => ProjectSeen::Summary(project.into()),
    }))
}

/// Change a project.
///
/// A list, or the payroll, replaces the current one. Employees who leave the project also leave its
/// tasks.
#[utoipa::path(
    put, path = "/api/v1/project/{id}", tag = "Projects", security(("adminKey" = [])),
    params(("id" = ProjectId, Path, description = "Which.")),
    request_body(content = ProjectChanges, example = json!({"description": "All that the new site needs", "archived": false})),
    responses(
        (status = 200, description = "Changed.", body = Project),
        (status = 400, description = "`nothing_to_change`: the body names no field. Otherwise as when it is created."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn update_project(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<ProjectId>,
    Body(changes): Body<ProjectChanges>,
) -> Result<Json<Project>, Problem> {
    Ok(Json(asker.ask(&app, only_if.on(UpdateProject { id, changes })).await?))
}

/// Delete a project and its tasks.
///
/// Recorded time is kept.
#[utoipa::path(
    delete, path = "/api/v1/project/{id}", tag = "Projects", security(("adminKey" = [])),
    params(("id" = ProjectId, Path, description = "Which.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn delete_project(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<ProjectId>,
) -> Result<StatusCode, Problem> {
    asker.ask(&app, only_if.on(DeleteProject { id })).await?;
    Ok(StatusCode::NO_CONTENT)
}
