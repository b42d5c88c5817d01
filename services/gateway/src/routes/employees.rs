use std::{convert::identity, sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    Caller, Code, CreateEmployee, DeactivateEmployee, Email, Employee, EmployeeChanges, EmployeeId, Failure,
    GetEmployee, InviteEmployee, Label, ListEmployees, Name, ProjectId, ReactivateEmployee, SetMemberships,
    SetPermissions, SystemPermissions, UpdateEmployee, given_nullable, given_present, present,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    created::created,
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::{Admin, EmployeeCaller},
    error::Problem,
    extract::{Body, Listing, Paging, PathId},
};

/// How long it may take to put an employee on many projects.
const MEMBERSHIPS_PATIENCE: Duration = Duration::from_secs(30);

/// Create an employee, and have an invitation mailed.
#[utoipa::path(
    post, path = "/api/v1/employee", tag = "Employees", security(("adminKey" = [])),
    request_body(content = CreateEmployee, example = json!({"name": "Ann Example", "email": "ann@example.org"})),
    responses(
        (status = 201, description = "Created; the invitation is on its way.", body = Employee),
        (status = 400, description = "`email_taken`: somebody has this e-mail address, in whatever case of its letters."),
    ),
)]
pub(super) async fn create_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    Body(request): Body<CreateEmployee>,
) -> Result<Response, Problem> {
    let employee: Employee = app.ask(Caller::Admin, &request).await?;
    Ok(created(format!("/api/v1/employee/{}", employee.id), employee))
}

/// All employees.
#[utoipa::path(
    get, path = "/api/v1/employee", tag = "Employees", security(("adminKey" = [])),
    params(Paging),
    responses((status = 200, description = "Everybody, the deactivated too.", body = Vec<Employee>)),
)]
pub(super) async fn list_employees(
    State(app): State<Arc<App>>,
    Admin: Admin,
    listing: Listing,
) -> Result<Response, Problem> {
    let list = List { app, caller: Caller::Admin, listing, form: Form::Json };
    list.answer(ListEmployees { after: None }, identity).await
}

impl ListRequest for ListEmployees {
    type Item = Employee;
    type Place = EmployeeId;

    fn after(&self, after: Option<EmployeeId>) -> Self {
        Self { after }
    }

    fn place(&self, item: &Employee) -> EmployeeId {
        item.id
    }
}

/// One employee.
#[utoipa::path(
    get, path = "/api/v1/employee/{id}", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    responses((status = 200, description = "The employee.", body = Employee)),
)]
pub(super) async fn get_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Admin, &GetEmployee { id }).await?))
}

/// What may be changed about an employee.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = EmployeeChanges)]
pub(super) struct EmployeeUpdate {
    /// Another name.
    #[serde(deserialize_with = "given_present")]
    #[schema(value_type = Option<String>, example = "Ann Example")]
    name: Option<Name>,
    /// Another e-mail address.
    #[serde(deserialize_with = "given_present")]
    #[schema(value_type = Option<String>, example = "ann@example.org")]
    email: Option<Email>,
    /// Another title; `null` clears it.
    #[serde(deserialize_with = "given_nullable")]
    #[schema(value_type = Option<String>, example = "Engineer")]
    title: Option<Option<Label>>,
    /// The projects to be on from now on, in place of all others: whoever is taken off a project is
    /// off its tasks too.
    #[serde(deserialize_with = "present")]
    projects: Option<Vec<ProjectId>>,
}

/// Change an employee.
///
/// `projects` are set all together or not at all. Where they are sent with other fields, everything is
/// checked before anything is changed, and the projects come first.
#[utoipa::path(
    put, path = "/api/v1/employee/{id}", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    request_body(content = EmployeeUpdate, example = json!({"title": "Engineer"})),
    responses(
        (status = 200, description = "Changed.", body = Employee),
        (status = 400, description = "`email_taken`: somebody else has this e-mail address. `nothing_to_change`: the body names no field. `unknown_project`, `project_archived`, `employee_deactivated`: the employee cannot be put on all of these projects."),
    ),
)]
pub(super) async fn update_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<EmployeeId>,
    Body(EmployeeUpdate { name, email, title, projects }): Body<EmployeeUpdate>,
) -> Result<Json<Employee>, Problem> {
    let update = UpdateEmployee { id, changes: EmployeeChanges { name, email, title }, only_check: false };
    let Some(projects) = projects else {
        return Ok(Json(app.ask(Caller::Admin, &update).await?));
    };
    let has_more = update.changes != EmployeeChanges::default();
    if has_more {
        app.ask(Caller::Admin, &UpdateEmployee { only_check: true, ..update.clone() }).await?;
    } else {
        app.ask(Caller::Admin, &GetEmployee { id }).await?;
    }
    let set = SetMemberships { employee_id: id, projects };
    let projects = app.bus.ask_within(MEMBERSHIPS_PATIENCE, Caller::Admin, &set).await?;
    let employee = if has_more {
        app.ask(Caller::Admin, &update).await.map_err(half_done)?
    } else {
        app.ask(Caller::Admin, &GetEmployee { id }).await?
    };
    // The list on the employee is a copy, which may be a moment late.
    Ok(Json(Employee { projects, ..employee }))
}

/// Two services have no transaction in common: what one has done stays, and whoever asked is told.
fn half_done(failure: Failure) -> Failure {
    let detail =
        format!("The projects are set; name, e-mail and title are not, so send them again: {}", failure.detail);
    Failure { detail, ..failure }
}

/// Deactivate an employee.
///
/// Takes them off every project and task; their tokens are dead within a second.
#[utoipa::path(
    post, path = "/api/v1/employee/{id}/deactivate", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    responses(
        (status = 200, description = "Deactivated.", body = Employee),
        (status = 409, description = "`already_deactivated`: nothing was left to do."),
    ),
)]
pub(super) async fn deactivate_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Admin, &DeactivateEmployee { id }).await?))
}

/// Take a deactivation back.
///
/// They are on no project, and log in with the old password.
#[utoipa::path(
    post, path = "/api/v1/employee/{id}/reactivate", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    responses(
        (status = 200, description = "Reactivated.", body = Employee),
        (status = 409, description = "`not_deactivated`: there is nothing to take back."),
    ),
)]
pub(super) async fn reactivate_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Admin, &ReactivateEmployee { id }).await?))
}

/// Have a fresh invitation mailed.
///
/// The link of the older one is dead.
#[utoipa::path(
    post, path = "/api/v1/employee/{id}/invite", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    responses(
        (status = 202, description = "The invitation is on its way.", body = Employee),
        (status = 409, description = "`already_active`: the account is active, so there is nothing to be invited to."),
    ),
)]
pub(super) async fn invite_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<(StatusCode, Json<Employee>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.ask(Caller::Admin, &InviteEmployee { id }).await?)))
}

/// Tell what a computer allows the desktop app.
///
/// One entry a computer, replaced when it is sent again.
#[utoipa::path(
    post, path = "/api/v1/employee/{id}/permissions", tag = "Employees", security(("employeeToken" = [])),
    params(("id" = EmployeeId, Path, description = "The caller's own id.")),
    request_body(content = SystemPermissions, example = json!({
        "computer": "anns-mac",
        "permissions": {"accessibility": "authorized", "screenAndSystemAudioRecording": "undetermined"}
    })),
    responses(
        (status = 200, description = "Kept.", body = Employee),
        (status = 403, description = "`forbidden`: the id is another employee's."),
    ),
)]
pub(super) async fn set_permissions(
    State(app): State<Arc<App>>,
    EmployeeCaller(own): EmployeeCaller,
    PathId(id): PathId<EmployeeId>,
    Body(entry): Body<SystemPermissions>,
) -> Result<Json<Employee>, Problem> {
    if id != own {
        return Err(Problem::new(Code::Forbidden, "Employees may do this for themselves only."));
    }
    Ok(Json(app.ask(Caller::Employee(own), &SetPermissions { id, entry }).await?))
}
