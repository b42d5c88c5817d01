use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
};
use contracts::{
    Activate, Caller, CheckPassword, Code, Employee, Failure, GetEmployee, Keep, Label, LoggedIn, Secret, WantedSession,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App,
    auth::{EmployeeCaller, TOKEN_CHALLENGE},
    error::Problem,
    etags::Seen,
    extract::{Body, Form, required},
};

/// Activate an account with the token of its invitation.
///
/// People do the same on the page that their invitation mail links to.
#[utoipa::path(
    post, path = "/api/auth/activate", tag = "Accounts",
    request_body(content = Activate, example = json!({"token": "3q2-7wAAAAB…", "password": "correct horse battery staple"})),
    responses(
        (status = 200, description = "The account is active: log in.", body = Employee),
        (status = 400, description = "`invalid_token`: the token is wrong, used or expired."),
        (status = 422, description = "`weak_password`: the password has fewer than 12 characters, more than 128, or is easy to guess; `errors` says what would help."),
        (status = 429, description = "`too_many_attempts`: too many have failed. Come again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn activate_account(
    State(app): State<Arc<App>>,
    Body(request): Body<Activate>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(app.ask(Caller::Anonymous, &request).await?))
}

/// The credentials of a log-in.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// The e-mail address, in any case of its letters.
    #[schema(value_type = String, example = "ann@example.org")]
    username: Option<String>,
    /// The password.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    password: Option<Secret>,
    /// `true` for a token of 15 minutes and a refresh token, with which the client gets further tokens.
    #[schema(value_type = bool, required = false, example = true)]
    refresh: Option<String>,
}

/// The token for an employee's requests.
#[derive(Serialize, ToSchema)]
pub(super) struct LoginAnswer {
    /// The token. Send it as `Authorization: Bearer <token>`.
    #[schema(value_type = String, example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9…")]
    access_token: Secret,
    /// The type of the token, which is always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// The lifetime of the token, in seconds.
    #[schema(example = 604_800)]
    expires_in: i64,
    /// The refresh token for `POST /api/auth/refresh`, if the log-in requested one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "t3refresh_3q2-7wAAAAB…")]
    refresh_token: Option<Secret>,
}

impl LoginAnswer {
    /// Signs a token for an employee who has logged in.
    pub(super) fn of(app: &App, who: LoggedIn) -> Result<Self, Problem> {
        let issued = app.tokens.issue(&who, app.clock.now()).map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "cannot sign a token");
            Problem::new(Code::Internal, "Something went wrong on our side.")
        })?;
        let refresh_token = who.session.and_then(|session| session.refresh_token);
        Ok(Self { access_token: issued.token, token_type: "bearer", expires_in: issued.seconds, refresh_token })
    }
}

/// Log in with e-mail and password.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "Accounts",
    request_body(content = Login, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Logged in.", body = LoginAnswer),
        (status = 401, description = "`unauthorized`: the e-mail address or the password is wrong, or the account is not active."),
        (status = 429, description = "`too_many_attempts`: too many have failed. Come again in `Retry-After` seconds."),
    ),
)]
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Result<Json<LoginAnswer>, Problem> {
    let (email, password) = (required("username", form.username)?, required("password", form.password)?);
    let refresh = match form.refresh.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Failure::field("refresh", "must be true or false").into()),
    };
    let session = WantedSession { agent: agent(&headers), refresh, token_seconds: app.tokens.seconds(refresh) };
    let request = CheckPassword { email, password, session: Some(session) };
    let who = app.ask(Caller::Anonymous, &request).await.map_err(refused)?;
    Ok(Json(LoginAnswer::of(&app, who)?))
}

/// The name of the program that sent the request, from the header `User-Agent`.
pub(crate) fn agent(headers: &HeaderMap) -> Option<Label> {
    let named = headers.get(header::USER_AGENT)?;
    Some(Label::keep(&String::from_utf8_lossy(named.as_bytes()))).filter(|agent| !agent.as_str().is_empty())
}

/// Turns a refused log-in into a 401 that is the same for every cause, so that nobody learns which
/// addresses have an account. Failures that may pass, and internal errors, stay as they are.
fn refused(failure: Failure) -> Problem {
    if failure.code.is_passing() || failure.code == Code::Internal {
        return failure.into();
    }
    Problem::unauthorized("The e-mail address or the password is wrong.", vec![TOKEN_CHALLENGE])
}

/// Get the employee who is logged in.
#[utoipa::path(
    get, path = "/api/auth/me", tag = "Accounts", security(("employeeToken" = [])),
    responses((status = 200, description = "The caller.", body = Employee)),
)]
pub(super) async fn get_me(
    State(app): State<Arc<App>>,
    EmployeeCaller(id): EmployeeCaller,
) -> Result<Seen<Employee>, Problem> {
    Ok(Seen(app.ask(Caller::Employee(id), &GetEmployee { id }).await?))
}
