use std::{convert::identity, sync::Arc};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    Caller, Code, CreateEmployee, DeactivateEmployee, Employee, EmployeeChanges, EmployeeId, GetEmployee,
    InviteEmployee, ListEmployees, ReactivateEmployee, SetPermissions, SystemPermissions, UpdateEmployee,
};

use super::{
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::{Admin, EmployeeCaller},
    error::Problem,
    extract::{Body, Listing, Paging, PathId},
};

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
) -> Result<(StatusCode, Json<Employee>), Problem> {
    Ok((StatusCode::CREATED, Json(app.ask(Caller::Admin, &request).await?)))
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

/// Change an employee.
#[utoipa::path(
    put, path = "/api/v1/employee/{id}", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    request_body(content = EmployeeChanges, example = json!({"title": "Engineer"})),
    responses(
        (status = 200, description = "Changed.", body = Employee),
        (status = 400, description = "`email_taken`: somebody else has this e-mail address. `nothing_to_change`: the body names no field."),
    ),
)]
pub(super) async fn update_employee(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<EmployeeId>,
    Body(changes): Body<EmployeeChanges>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Admin, &UpdateEmployee { id, changes }).await?))
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
