use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use contracts::{Activate, Caller, CheckPassword, Code, Employee, Failure, GetEmployee, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App,
    auth::{EmployeeCaller, TOKEN_CHALLENGE},
    error::Problem,
    extract::{Body, Form, required},
};

/// Activate an account with the token of its invitation.
///
/// The page that an invitation's mail links to does the same for people.
#[utoipa::path(
    post, path = "/api/auth/activate", tag = "Accounts",
    request_body(content = Activate, example = json!({"token": "3q2-7wAAAAB…", "password": "correct horse battery staple"})),
    responses(
        (status = 200, description = "The account is active: log in.", body = Employee),
        (status = 400, description = "`invalid_token`: the token is wrong, used or expired."),
        (status = 422, description = "`weak_password`: the password has fewer than 12 characters, or more than 128."),
    ),
)]
pub(super) async fn activate_account(
    State(app): State<Arc<App>>,
    Body(request): Body<Activate>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Anonymous, &request).await?))
}

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// The e-mail address, in any case of its letters.
    #[schema(value_type = String, example = "ann@example.org")]
    username: Option<String>,
    /// The password.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    password: Option<Secret>,
}

/// A token for the calls of an employee.
#[derive(Serialize, ToSchema)]
pub(super) struct LoginAnswer {
    /// Send it as `Authorization: Bearer <token>`.
    #[schema(value_type = String, example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9…")]
    access_token: Secret,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
}

/// Log in with e-mail and password.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "Accounts",
    request_body(content = Login, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Logged in.", body = LoginAnswer),
        (status = 401, description = "`unauthorized`: the e-mail address or the password is wrong, or the account is not active."),
    ),
)]
pub(super) async fn log_in(State(app): State<Arc<App>>, Form(form): Form<Login>) -> Result<Response, Problem> {
    let (email, password) = (required("username", form.username)?, required("password", form.password)?);
    let who = app.ask(Caller::Anonymous, &CheckPassword { email, password }).await.map_err(refused)?;
    let access_token = app.tokens.issue(who, app.clock.now()).map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "cannot sign a token");
        Problem::new(Code::Internal, "Something went wrong on our side.")
    })?;
    let answer = LoginAnswer { access_token, token_type: "bearer" };
    Ok(Json(answer).into_response())
}

/// The same for every cause, so that nobody learns who has an account.
fn refused(failure: Failure) -> Problem {
    if failure.code.is_passing() || failure.code == Code::Internal {
        return failure.into();
    }
    Problem::unauthorized("The e-mail address or the password is wrong.", vec![TOKEN_CHALLENGE])
}

/// Who I am.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "Accounts", security(("employeeToken" = [])),
    responses((status = 200, description = "The caller.", body = Employee)),
)]
pub(super) async fn get_me(
    State(app): State<Arc<App>>,
    EmployeeCaller(id): EmployeeCaller,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Employee(id), &GetEmployee { id }).await?))
}
