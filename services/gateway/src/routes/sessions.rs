use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use contracts::{
    Caller, Code, EndOtherSessions, EndSession, ListSessions, LogOut, RefreshSession, Secret, Session, SessionId,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::accounts::LoginAnswer;
use crate::{
    App,
    auth::{EmployeeCaller, TOKEN_CHALLENGE},
    error::Problem,
    extract::{Body, PathId},
};

/// The body of a request for the next token.
#[derive(Deserialize, ToSchema)]
pub(super) struct Refresh {
    /// The refresh token from the last log-in or refresh.
    #[schema(value_type = String, format = Password, example = "t3refresh_3q2-7wAAAAB…")]
    refresh_token: Secret,
}

/// Get the next token of a session.
///
/// A refresh token can be used once: the response has the next refresh token. For a minute, while
/// the next refresh token is unused, a repetition gets the same response. Therefore a lost
/// response, or two programs that refresh at the same time, do no harm. A later repetition ends the
/// session, because somebody else may have the refresh token.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "Accounts",
    request_body(content = Refresh),
    responses(
        (status = 200, description = "The next token, and the next refresh token.", body = LoginAnswer),
        (status = 401, description = "`invalid_token`: the refresh token is wrong, used or expired: log in again."),
    ),
)]
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    Body(Refresh { refresh_token }): Body<Refresh>,
) -> Result<Json<LoginAnswer>, Problem> {
    let request = RefreshSession { refresh_token, token_seconds: app.tokens.seconds(true) };
    let who = app.ask(Caller::Anonymous, &request).await.map_err(|failure| match failure.code {
        Code::InvalidToken => Problem::invalid_token(&failure.detail, vec![TOKEN_CHALLENGE]),
        _ => failure.into(),
    })?;
    Ok(Json(LoginAnswer::of(&app, who)?))
}

/// List the caller's sessions.
#[utoipa::path(
    get, path = "/api/auth/sessions", tag = "Accounts", security(("employeeToken" = [])),
    responses((status = 200, description = "Those that go on, the newest first.", body = Vec<Session>)),
)]
pub(super) async fn list_sessions(
    State(app): State<Arc<App>>,
    EmployeeCaller(id): EmployeeCaller,
) -> Result<Json<Vec<Session>>, Problem> {
    Ok(Json(app.ask(Caller::Employee(id), &ListSessions {}).await?))
}

/// End all other sessions of the caller.
///
/// The tokens of these sessions are revoked within a second. So are the caller's tokens without a
/// session, which an earlier version of this API issued.
#[utoipa::path(
    delete, path = "/api/auth/sessions", tag = "Accounts", security(("employeeToken" = [])),
    responses((status = 204, description = "Ended.")),
)]
pub(super) async fn end_other_sessions(
    State(app): State<Arc<App>>,
    EmployeeCaller(id): EmployeeCaller,
) -> Result<StatusCode, Problem> {
    app.ask(Caller::Employee(id), &EndOtherSessions {}).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of the caller's sessions.
///
/// The tokens of the session are revoked within a second.
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "Accounts", security(("employeeToken" = [])),
    params(("id" = SessionId, Path, description = "Which.")),
    responses((status = 204, description = "Ended.")),
)]
pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    EmployeeCaller(employee): EmployeeCaller,
    PathId(id): PathId<SessionId>,
) -> Result<StatusCode, Problem> {
    app.ask(Caller::Employee(employee), &EndSession { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Log out.
///
/// The session ends, and its tokens are revoked within a second. A token without a session, which
/// an earlier version of this API issued, cannot be revoked alone. If the caller logs out with such
/// a token, all their sessions end.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "Accounts", security(("employeeToken" = [])),
    responses((status = 204, description = "Logged out.")),
)]
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    EmployeeCaller(id): EmployeeCaller,
) -> Result<StatusCode, Problem> {
    app.ask(Caller::Employee(id), &LogOut {}).await?;
    Ok(StatusCode::NO_CONTENT)
}
