use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use contracts::{
    Caller, ChangePassword, ConfirmEmail, Employee, EmployeeId, ForgotPassword, ResetPassword, Secret, SendReset,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    App,
    auth::{Admin, EmployeeCaller},
    error::Problem,
    extract::{Body, PathId},
};

/// Request a mail with a link to set a new password.
///
/// People do the same on the page `/forgot`.
#[utoipa::path(
    post, path = "/api/auth/forgot", tag = "Accounts",
    request_body(content = ForgotPassword, example = json!({"email": "ann@example.org"})),
    responses(
        (status = 202, description = "If somebody here logs in with this address, a mail is on its way: at most three an hour. The answer is the same for every address."),
        (status = 429, description = "`too_many_attempts`: too many mails were asked for. Come again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn forgot_password(
    State(app): State<Arc<App>>,
    Body(request): Body<ForgotPassword>,
) -> Result<StatusCode, Problem> {
    app.ask(Caller::Anonymous, &request).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password with the token of the link in a mail.
///
/// People do the same on the page behind the link. All sessions of the account end.
#[utoipa::path(
    post, path = "/api/auth/reset", tag = "Accounts",
    request_body(content = ResetPassword, example = json!({"token": "3q2-7wAAAAB…", "password": "correct horse battery staple"})),
    responses(
        (status = 200, description = "The password is set: log in.", body = Employee),
        (status = 400, description = "`invalid_token`: the token is wrong, used or older than 30 minutes."),
        (status = 422, description = "`weak_password`: the password has fewer than 12 characters, more than 128, or is easy to guess; `errors` says what would help."),
        (status = 429, description = "`too_many_attempts`: too many have failed. Come again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn reset_password(
    State(app): State<Arc<App>>,
    Body(request): Body<ResetPassword>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Anonymous, &request).await?))
}

/// The body of a request that changes the caller's password.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewPassword {
    /// The current password.
    #[schema(value_type = String, format = Password)]
    old: Secret,
    /// The new password: 12 to 128 characters that are hard to guess.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    new: Secret,
}

/// Change the caller's own password.
///
/// All other sessions of the caller end.
#[utoipa::path(
    put, path = "/api/auth/password", tag = "Accounts", security(("employeeToken" = [])),
    request_body(content = NewPassword, example = json!({"old": "correct horse battery staple", "new": "three words and a half"})),
    responses(
        (status = 204, description = "Changed."),
        (status = 400, description = "`wrong_password`: `old` is not the password of the account."),
        (status = 422, description = "`weak_password`: the new password has fewer than 12 characters, more than 128, or is easy to guess; `errors` says what would help."),
        (status = 429, description = "`too_many_attempts`: too many have failed. Come again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    EmployeeCaller(id): EmployeeCaller,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    app.ask(Caller::Employee(id), &ChangePassword { id, old, new }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Confirm a new e-mail address with the token that was mailed to it.
///
/// People do the same on the page behind the link in the mail.
#[utoipa::path(
    post, path = "/api/auth/confirm", tag = "Accounts",
    request_body(content = ConfirmEmail, example = json!({"token": "3q2-7wAAAAB…", "password": "correct horse battery staple"})),
    responses(
        (status = 200, description = "The address is confirmed.", body = Employee),
        (status = 400, description = "`invalid_token`: the token is wrong, used or older than 72 hours. `wrong_password`: this is not the password of the account."),
        (status = 429, description = "`too_many_attempts`: too many have failed. Come again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn confirm_email(
    State(app): State<Arc<App>>,
    Body(request): Body<ConfirmEmail>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Anonymous, &request).await?))
}

/// Send an employee a mail with a link to set a new password.
///
/// The mail goes to the employee's address, even if the address is not confirmed.
#[utoipa::path(
    post, path = "/api/v1/employee/{id}/reset", tag = "Employees", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "To whom.")),
    responses(
        (status = 202, description = "The mail is on its way."),
        (status = 400, description = "`employee_deactivated`: reactivate first."),
        (status = 403, description = "`missing_scope`: the role of this employee allows more than the caller may do."),
        (status = 409, description = "`not_active`: the account is not activated yet, so send an invitation."),
        (status = 429, description = "`too_many_requests`: the address was sent three such mails within the last hour."),
    ),
)]
pub(super) async fn send_reset(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<EmployeeId>,
) -> Result<StatusCode, Problem> {
    asker.ask(&app, SendReset { id }).await?;
    Ok(StatusCode::ACCEPTED)
}
