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
    auth::revocations::Standing,
    error::Problem,
    limits::{Bound, Meter},
};

/// Who may call a route. The router names it for each, and [`authorize`] checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Open,
    /// Employees, for themselves.
    Own,
    /// Keys and people with leave to read the resource, where the method only reads; else to change it.
    Scoped(Resource),
    /// The same, but not for managers, whose scopes are for their teams: it is of everybody together.
    ScopedForAll(Resource),
    /// Either: with the scope everything, without it what is the employee's own.
    ScopedOrOwn(Resource),
}

impl Access {
    /// The scope that the route needs of those who do not call it for themselves.
    pub(crate) fn scope(self, method: &Method) -> Option<Scope> {
        match self {
            Self::Open | Self::Own => None,
            Self::Scoped(resource) | Self::ScopedForAll(resource) | Self::ScopedOrOwn(resource) => {
                Some(Scope { resource, write: !matches!(*method, Method::GET | Method::HEAD) })
            }
        }
    }
}

/// Who has shown credentials, and what they may do.
#[derive(Debug)]
struct Known {
    actor: Actor,
    /// Beyond what an employee may do for themselves.
    scopes: Scopes,
    /// Whether these are for the employees of their teams only.
    is_manager: bool,
}

impl Known {
    fn employee(&self) -> Option<EmployeeId> {
        match self.actor {
            Actor::Person { employee, .. } => Some(employee),
            _ => None,
        }
    }
}

/// In what capacity the caller of a route may do what it does: the one place that decides it.
pub(super) async fn authorize(parts: &Parts, app: &Arc<App>) -> Result<Asker, Problem> {
    let Some(access) = parts.extensions.get::<Access>().copied() else {
        // A test calls every route, so that this is found before it is shipped.
        tracing::error!("the router names nobody who may call this route");
        return Err(Problem::new(Code::Internal, "Something went wrong on our side."));
    };
    let Some(given) = credentials(parts)? else {
        return Err(nobody(access));
    };
    let known = who(given, access, app)?;
    let admitted = admit(&known, access, parts)?;
    Ok(bounded(&known, admitted, app).await?)
}

/// Who opens a page, and in what capacity.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) employee: EmployeeId,
    pub(crate) asker: Asker,
    /// Beyond what an employee may do for themselves.
    pub(crate) scopes: Scopes,
    /// Whether these are for the employees of their teams only.
    pub(crate) is_manager: bool,
}

/// Why somebody does not get to see a page.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// We do not know who they are, or no longer.
    LogIn,
    /// Their role does not allow it.
    Forbidden(Pass),
    /// It cannot be told at the moment.
    Failed(Failure),
}

/// The same for a page, by the token in its cookie: tokens of people only.
pub(crate) async fn authorize_page(
    app: &Arc<App>,
    token: &str,
    access: Access,
    parts: &Parts,
) -> Result<Pass, Refusal> {
    let known = who(Credentials::Token(token), access, app).map_err(|problem| match problem.code() {
        Code::Unauthorized => Refusal::LogIn,
        _ => Refusal::Failed(problem.into_failure()),
    })?;
    let Some(employee) = known.employee() else { return Err(Refusal::LogIn) };
    let pass = |asker| Pass { employee, asker, scopes: known.scopes.clone(), is_manager: known.is_manager };
    match admit(&known, access, parts) {
        Ok(asker) => bounded(&known, asker, app).await.map(pass).map_err(Refusal::Failed),
        Err(problem) if problem.code().is_passing() => Err(Refusal::Failed(problem.into_failure())),
        Err(_) => Err(Refusal::Forbidden(pass(Asker::Own(employee)))),
    }
}

/// Whether somebody may call a route, and in what capacity.
fn admit(known: &Known, access: Access, parts: &Parts) -> Result<Asker, Problem> {
    kit::acts(known.actor);
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
        // A person without any role is asked for another kind of credentials, as today's clients know it.
        (Access::Scoped(_) | Access::ScopedForAll(_), _, Some(_)) if known.scopes.0.is_empty() => Err(nobody(access)),
        (_, Some(scope), _) => {
            let detail = format!("This needs the scope {scope}, which this key or role does not have.");
            Err(Problem::new(Code::MissingScope, detail))
        }
        (_, None, _) => Err(nobody(access)),
    }
}

/// The same, where the scopes are a manager's for the employees of the teams that they manage now.
async fn bounded(known: &Known, asker: Asker, app: &App) -> Result<Asker, Failure> {
    match (asker, known.employee()) {
        (Asker::Whole, Some(manager)) if known.is_manager => Asker::manager(app, manager).await,
        (asker, _) => Ok(asker),
    }
}

fn who(given: Credentials<'_>, access: Access, app: &Arc<App>) -> Result<Known, Problem> {
    let now = app.clock.now();
    match given {
        Credentials::Key(key) => {
            if app.keys.admit(key.as_bytes()) {
                return Ok(Known { actor: Actor::Root, scopes: Scopes::all(), is_manager: false });
            }
            let refused = || Problem::unauthorized("The API key is not good, or no longer.", vec![KEY_CHALLENGE]);
            let (id, hash) = contracts::read_key(key).ok_or_else(refused)?;
            match app.revocations.look(now, |entries| entries.allowed_by(id, &hash, now)) {
                (Some(scopes), true) => {
                    app.key_uses.note(app, id, now);
                    Ok(Known { actor: Actor::Key(id), scopes, is_manager: false })
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
            match app.revocations.standing(&claims, now) {
                Standing::Revoked => Err(refused()),
                Standing::Good(role) => {
                    Span::current().record("employee_id", claims.sub.to_string());
                    if let Some(session) = claims.sid {
                        app.session_uses.note(session, now);
                    }
                    Ok(Known {
                        actor: Actor::Person { employee: claims.sub, session: claims.sid },
                        scopes: role.scopes(),
                        is_manager: role == Role::Manager,
                    })
                }
                Standing::Unknown => {
                    let detail = "Whether the token is still good cannot be told now. Try again in a moment.";
                    Err(Problem::new(Code::Unavailable, detail))
                }
            }
        }
    }
}

/// 401, with what would be let in.
fn nobody(access: Access) -> Problem {
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
