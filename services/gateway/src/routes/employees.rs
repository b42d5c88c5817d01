use std::{convert::identity, sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    Bounded, Caller, Code, CreateEmployee, DeactivateEmployee, Email, Employee, EmployeeChanges, EmployeeId, Failure,
    GetEmployee, InviteEmployee, Label, ListEmployees, Name, ProjectId, ReactivateEmployee, SetMemberships,
    SetPermissions, SystemPermissions, TeamId, UpdateEmployee, given_nullable, given_present, present,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    created::created,
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::{Admin, EmployeeCaller},
    error::Problem,
    etags::{Part, Seen},
    extract::{Body, Listing, OnlyIf, Paging, Params, PathId},
    teams,
};

/// The time limit for replacing the projects of an employee.
const MEMBERSHIPS_PATIENCE: Duration = Duration::from_secs(30);

/// The body of a request that creates an employee.
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateEmployee)]
pub(crate) struct NewEmployee {
    /// The name.
    name: Name,
    /// The e-mail address. It must be unique, regardless of the case of its letters.
    email: Email,
    /// The projects that the employee becomes a member of; none by default.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<ProjectId>, required = false, max_items = 1_000)]
    projects: Option<Vec<ProjectId>>,
}

/// Create an employee and mail an invitation.
///
/// With `projects`, the employee is created only if they can become a member of all of them.
#[utoipa::path(
    post, path = "/api/v1/employee", tag = "Employees", security(("adminKey" = [])),
    request_body(content = NewEmployee, example = json!({"name": "Ann Example", "email": "ann@example.org"})),
    responses(
        (status = 201, description = "Created; the invitation is on its way.", body = Employee),
        (status = 400, description = "`email_taken`: somebody has this e-mail address, in whatever case of its letters. `unknown_project`, `project_archived`: nobody can be put on one of these projects."),
    ),
)]
pub(super) async fn create_employee(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(NewEmployee { name, email, projects }): Body<NewEmployee>,
) -> Result<Response, Problem> {
    let set = |employee_id, only_check| {
        let wanted = projects.clone().filter(|projects| !projects.is_empty());
        wanted.map(|projects| SetMemberships { employee_id, projects, only_check })
    };
    if let Some(check) = set(EmployeeId(Uuid::nil()), true) {
        asker.ask_within(&app, MEMBERSHIPS_PATIENCE, check).await?;
    }
    let mut employee: Employee = asker.ask(&app, CreateEmployee { name, email }).await?;
    let id = employee.id;
    if let Some(set) = set(id, false) {
        let set = asker.ask_within(&app, MEMBERSHIPS_PATIENCE, set).await;
        employee.projects = set.map_err(|failure| created_only(id, failure))?;
    }
    Ok(created(format!("/api/v1/employee/{id}"), employee))
}

/// Explains that the employee was created although their projects could not be set. The two changes
/// are in two services, which have no common transaction.
fn created_only(id: EmployeeId, failure: Failure) -> Failure {
    let detail = format!(
        "The employee is created and invited, and is on no project yet: send `projects` again, as PUT /api/v1/employee/{id}. {}",
        failure.detail
    );
    Failure { detail, ..failure }
}

/// List all employees.
#[utoipa::path(
    get, path = "/api/v1/employee", tag = "Employees", security(("adminKey" = [])),
    params(
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these teams only: ids with commas between."),
        Paging,
    ),
    responses((status = 200, description = "Everybody, the deactivated too; for a manager those of their teams, and themselves.", body = Vec<Employee>)),
)]
pub(super) async fn list_employees(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let within = teams::within(&app, &asker, &params).await?;
    let list = List { app, asker, listing, form: Form::Json };
    list.answer(Bounded { asked: ListEmployees { after: None }, within }, identity).await
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

/// Get one employee.
#[utoipa::path(
    get, path = "/api/v1/employee/{id}", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    responses((status = 200, description = "The employee.", body = Employee)),
)]
pub(super) async fn get_employee(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<Seen<Employee>, Problem> {
    Ok(Seen(asker.ask(&app, GetEmployee { id }).await?))
}

/// The body of a request that changes an employee.
#[derive(Deserialize, ToSchema)]
#[schema(as = EmployeeChanges)]
pub(crate) struct EmployeeUpdate {
    /// The new name.
    #[serde(default, deserialize_with = "given_present")]
    #[schema(value_type = Name, required = false)]
    name: Option<Name>,
    /// The new e-mail address.
    #[serde(default, deserialize_with = "given_present")]
    #[schema(value_type = Email, required = false)]
    email: Option<Email>,
    /// The new title; `null` clears it.
    #[serde(default, deserialize_with = "given_nullable")]
    #[schema(value_type = Option<Label>)]
    title: Option<Option<Label>>,
    /// The employee's projects, which replace the current ones. An employee who leaves a project
    /// also leaves its tasks.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<ProjectId>, required = false, max_items = 1_000)]
    projects: Option<Vec<ProjectId>>,
}

/// Change an employee.
///
/// Either all `projects` are replaced or none. If other fields are sent too, everything is checked
/// before anything changes, and the projects are changed first.
#[utoipa::path(
    put, path = "/api/v1/employee/{id}", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    request_body(content = EmployeeUpdate, example = json!({"title": "Engineer"})),
    responses(
        (status = 200, description = "Changed.", body = Employee),
        (status = 400, description = "`email_taken`: somebody else has this e-mail address. `nothing_to_change`: the body names no field. `unknown_project`, `project_archived`, `employee_deactivated`: the employee cannot be put on all of these projects."),
        (status = 412, description = "`precondition_failed`: they have changed since they were read."),
    ),
)]
pub(super) async fn update_employee(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<EmployeeId>,
    Body(EmployeeUpdate { name, email, title, projects }): Body<EmployeeUpdate>,
) -> Result<Json<Employee>, Problem> {
    let update = UpdateEmployee { id, changes: EmployeeChanges { name, email, title }, only_check: false };
    let Some(projects) = projects else {
        return Ok(Json(asker.ask(&app, only_if.on(update)).await?));
    };
    let has_more = update.changes != EmployeeChanges::default();
    if has_more {
        let check = UpdateEmployee { only_check: true, ..update.clone() };
        asker.ask(&app, only_if.on(check)).await?;
    } else {
        asker.ask(&app, GetEmployee { id }).await?;
    }
    let set = only_if.on_part(Part::Projects, SetMemberships { employee_id: id, projects, only_check: false });
    let projects = asker.ask_within(&app, MEMBERSHIPS_PATIENCE, set).await?;
    let employee = if has_more {
        asker.ask(&app, only_if.on(update)).await.map_err(half_done)?
    } else {
        asker.ask(&app, GetEmployee { id }).await?
    };
    // Directory's list of the employee's projects is a copy, which may be updated a little later.
    // So the response has the list that the service `projects` has just stored.
    Ok(Json(Employee { projects, ..employee }))
}

/// Explains that the projects of an employee were set, although the other changes failed.
fn half_done(failure: Failure) -> Failure {
    let detail =
        format!("The projects are set; name, e-mail and title are not, so send them again: {}", failure.detail);
    Failure { detail, ..failure }
}

/// Deactivate an employee.
///
/// The employee is removed from all projects and tasks. Their tokens are revoked within a second.
#[utoipa::path(
    post, path = "/api/v1/employee/{id}/deactivate", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    responses(
        (status = 200, description = "Deactivated.", body = Employee),
        (status = 409, description = "`already_deactivated`: nothing was left to do."),
        (status = 412, description = "`precondition_failed`: they have changed since they were read."),
    ),
)]
pub(super) async fn deactivate_employee(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<EmployeeId>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(asker.ask(&app, only_if.on(DeactivateEmployee { id })).await?))
}

/// Reactivate an employee.
///
/// The employee then is on no project, and logs in with the old password.
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
    Admin(asker): Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(asker.ask(&app, ReactivateEmployee { id }).await?))
}

/// Mail a new invitation.
///
/// The link in the earlier invitation no longer works.
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
    Admin(asker): Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<(StatusCode, Json<Employee>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(asker.ask(&app, InviteEmployee { id }).await?)))
}

/// Report which permissions a computer grants to the desktop app.
///
/// There is one entry for each computer. A new report replaces the entry of its computer.
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
        (status = 412, description = "`precondition_failed`: they have changed since they were read."),
    ),
)]
pub(super) async fn set_permissions(
    State(app): State<Arc<App>>,
    EmployeeCaller(own): EmployeeCaller,
    only_if: OnlyIf,
    PathId(id): PathId<EmployeeId>,
    Body(entry): Body<SystemPermissions>,
) -> Result<Json<Employee>, Problem> {
    if id != own {
        return Err(Problem::new(Code::Forbidden, "Employees may do this for themselves only."));
    }
    let set = only_if.on_part(Part::Permissions, SetPermissions { id, entry });
    Ok(Json(app.ask(Caller::Employee(own), &set).await?))
}
