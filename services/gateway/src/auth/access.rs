use std::sync::Arc;

use axum::http::{Method, request::Parts};
use contracts::{Actor, Code, EmployeeId, Failure, Resource, Role, Scope, Scopes};
use tracing::Span;

use super::{
    asker::Asker,
    credentials::{Credentials, KEY_CHALLENGE, TOKEN_CHALLENGE, TOKEN_REFUSED, credentials},
};
use crate::{
    App,
    auth::revocations::TokenState,
    error::Problem,
    limits::{Bound, Meter},
};

/// Who may call a route. The router declares it for each route, and [`authorize`] checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without credentials.
    Open,
    /// Employees, for their own data.
    Own,
    /// API keys and people with a scope for the resource: the read scope for GET and HEAD, the
    /// write scope for other methods.
    Scoped(Resource),
    /// As `Scoped`, but managers are refused: their scopes are limited to their teams, and the
    /// resource concerns everybody.
    ScopedForAll(Resource),
    /// Callers with the scope get all data, or the data of their teams if they are managers.
    /// Employees without the scope get their own data.
    ScopedOrOwn(Resource),
}

impl Access {
    /// The scope that a caller needs for all data; `None` when the route needs no scope.
    pub(crate) fn scope(self, method: &Method) -> Option<Scope> {
        match self {
            Self::Open | Self::Own => None,
            Self::Scoped(resource) | Self::ScopedForAll(resource) | Self::ScopedOrOwn(resource) => {
                Some(Scope { resource, write: !matches!(*method, Method::GET | Method::HEAD) })
            }
        }
    }
}

/// An authenticated caller.
#[derive(Debug)]
struct Authenticated {
    actor: Actor,
    /// The scopes of the API key or of the person's role. What every employee may do for themselves
    /// needs no scope.
    scopes: Scopes,
    /// Whether the caller is a manager, whose scopes are limited to the employees of their teams.
    is_manager: bool,
}

impl Authenticated {
    fn employee(&self) -> Option<EmployeeId> {
        match self.actor {
            Actor::Person { employee, .. } => Some(employee),
            _ => None,
        }
    }
}

/// Authenticates and authorizes the caller of an API route. Handlers need not check again who may
/// call the route.
pub(super) async fn authorize(parts: &Parts, app: &Arc<App>) -> Result<Asker, Problem> {
    let Some(access) = parts.extensions.get::<Access>().copied() else {
        // A route without `Access` is a programming error. A test calls every route, so the error
        // is found before a release.
        tracing::error!("the router names nobody who may call this route");
        return Err(Problem::new(Code::Internal, "Something went wrong on our side."));
    };
    let Some(given) = credentials(parts)? else {
        return Err(unauthenticated(access));
    };
    let known = authenticate(given, access, app)?;
    let admitted = admit(&known, access, parts)?;
    Ok(limited_to_teams(&known, admitted, app).await?)
}

/// An authenticated person who opens a page.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) employee: EmployeeId,
    pub(crate) asker: Asker,
    /// The scopes of the person's role. What every employee may do for themselves needs no scope.
    pub(crate) scopes: Scopes,
    /// Whether the person is a manager, whose scopes are limited to the employees of their teams.
    pub(crate) is_manager: bool,
}

/// Why a person may not see a page.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The session cookie has no valid token: the person must log in.
    LogIn,
    /// The role does not allow the page.
    Forbidden(Pass),
    /// Access cannot be decided now, for example because a service does not answer.
    Failed(Failure),
}

/// Authenticates and authorizes a person who opens a page. `token` is from the session cookie; API
/// keys are not accepted.
pub(crate) async fn authorize_page(
    app: &Arc<App>,
    token: &str,
    access: Access,
    parts: &Parts,
) -> Result<Pass, Refusal> {
    let known = authenticate(Credentials::Token(token), access, app).map_err(|problem| match problem.code() {
        Code::Unauthorized => Refusal::LogIn,
        _ => Refusal::Failed(problem.into_failure()),
    })?;
    let Some(employee) = known.employee() else { return Err(Refusal::LogIn) };
    let pass = |asker| Pass { employee, asker, scopes: known.scopes.clone(), is_manager: known.is_manager };
    match admit(&known, access, parts) {
        Ok(asker) => limited_to_teams(&known, asker, app).await.map(pass).map_err(Refusal::Failed),
        Err(problem) if problem.code().is_passing() => Err(Refusal::Failed(problem.into_failure())),
        Err(_) => Err(Refusal::Forbidden(pass(Asker::Own(employee)))),
    }
}

/// Authorizes a caller, and counts the request against the caller's limit.
fn admit(known: &Authenticated, access: Access, parts: &Parts) -> Result<Asker, Problem> {
    kit::set_actor(known.actor);
    Span::current().record("actor", known.actor.to_string());
    if let Some(meter) = Meter::of(parts) {
        let bound = parts.extensions.get::<Bound>().copied().unwrap_or(Bound::Calls);
        meter.count(bound, known.actor)?;
    }
    let (scope, employee) = (access.scope(&parts.method), known.employee());
    match (access, scope, employee) {
        (Access::ScopedForAll(_), Some(_), _) if known.is_manager => {
            Err(Problem::new(Code::Forbidden, "This is of everybody, and a manager's role is for their teams."))
        }
        (_, Some(scope), _) if known.scopes.allow(scope) => Ok(Asker::Whole),
        (Access::Own | Access::ScopedOrOwn(_), _, Some(employee)) => Ok(Asker::Own(employee)),
        // An employee whose role has no scopes gets 401 and not 403, because existing clients
        // expect 401 here.
        (Access::Scoped(_) | Access::ScopedForAll(_), _, Some(_)) if known.scopes.0.is_empty() => {
            Err(unauthenticated(access))
        }
        (_, Some(scope), _) => {
            let detail = format!("This needs the scope {scope}, which this key or role does not have.");
            Err(Problem::new(Code::MissingScope, detail))
        }
        (_, None, _) => Err(unauthenticated(access)),
    }
}

/// Limits a manager to the teams that they manage at this moment. Other callers stay as they are.
async fn limited_to_teams(known: &Authenticated, asker: Asker, app: &App) -> Result<Asker, Failure> {
    match (asker, known.employee()) {
        (Asker::Whole, Some(manager)) if known.is_manager => Asker::manager(app, manager).await,
        (asker, _) => Ok(asker),
    }
}

fn authenticate(given: Credentials<'_>, access: Access, app: &Arc<App>) -> Result<Authenticated, Problem> {
    let now = app.clock.now();
    match given {
        Credentials::Key(key) => {
            if app.keys.admit(key.as_bytes()) {
                return Ok(Authenticated { actor: Actor::Root, scopes: Scopes::all(), is_manager: false });
            }
            let refused = || Problem::unauthorized("The API key is not good, or no longer.", vec![KEY_CHALLENGE]);
            let (id, hash) = contracts::read_key(key).ok_or_else(refused)?;
            match app.revocations.read(now, |entries| entries.allowed_by(id, &hash, now)) {
                (Some(scopes), true) => {
                    app.key_uses.note(app, id, now);
                    Ok(Authenticated { actor: Actor::Key(id), scopes, is_manager: false })
                }
                (None, true) => Err(refused()),
                (_, false) => Err(Problem::new(
                    Code::Unavailable,
                    "Whether the key is still good cannot be told now. Try again in a moment.",
                )),
            }
        }
        Credentials::Token(token) => {
            let refused = || {
                Problem::unauthorized(
                    "The token is not good, or no longer: log in again.",
                    vec![match access {
                        Access::Scoped(_) | Access::ScopedForAll(_) => KEY_CHALLENGE,
                        _ => TOKEN_REFUSED,
                    }],
                )
            };
            let claims = app.tokens.verify(token, now).ok_or_else(refused)?;
            match app.revocations.token_state(&claims, now) {
                TokenState::Revoked => Err(refused()),
                TokenState::Good(role) => {
                    Span::current().record("employee_id", claims.sub.to_string());
                    if let Some(session) = claims.sid {
                        app.session_uses.note(session, now);
                    }
                    Ok(Authenticated {
                        actor: Actor::Person { employee: claims.sub, session: claims.sid },
                        scopes: role.scopes(),
                        is_manager: role == Role::Manager,
                    })
                }
                TokenState::Unknown => {
                    let detail = "Whether the token is still good cannot be told now. Try again in a moment.";
                    Err(Problem::new(Code::Unavailable, detail))
                }
            }
        }
    }
}

/// Makes the error 401, with a challenge for each kind of credentials that the route accepts.
fn unauthenticated(access: Access) -> Problem {
    match access {
        Access::Scoped(_) | Access::ScopedForAll(_) => Problem::unauthorized(
            "This needs an API key in X-API-Key, or the token of somebody whose role allows it.",
            vec![KEY_CHALLENGE],
        ),
        Access::ScopedOrOwn(_) => {
            let detail =
                "This needs an API key in X-API-Key, or an employee's token as `Authorization: Bearer <token>`.";
            Problem::unauthorized(detail, vec![KEY_CHALLENGE, TOKEN_CHALLENGE])
        }
        Access::Own | Access::Open => {
            let detail = "This needs an employee's token: log in, and send it as `Authorization: Bearer <token>`.";
            Problem::unauthorized(detail, vec![TOKEN_CHALLENGE])
        }
    }
}
