//! Who is calling. The extractors run before the body is read; then the query is checked, so that
//! whoever has no credentials hears of that first.

mod keys;
mod revocations;
mod tokens;

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use contracts::{Actor, Caller, Code, EmployeeId};
use tracing::Span;

pub(crate) use self::{keys::AdminKeys, revocations::Revocations, tokens::Tokens};
use crate::{App, auth::revocations::Standing, error::Problem, extract::fitting_query};

/// How an admin shows who they are.
const KEY_CHALLENGE: &str = "ApiKey realm=\"t3\", header=\"X-API-Key\"";
/// How an employee does.
pub(crate) const TOKEN_CHALLENGE: &str = "Bearer realm=\"t3\"";
/// The same to one whose token is no good.
const TOKEN_REFUSED: &str = "Bearer realm=\"t3\", error=\"invalid_token\"";
/// The header with an admin's key.
const KEY_HEADER: &str = "x-api-key";

/// An admin, by the key.
#[derive(Debug)]
pub(crate) struct Admin;

/// An employee, by the token.
#[derive(Debug)]
pub(crate) struct EmployeeCaller(pub(crate) EmployeeId);

/// Either of them.
#[derive(Debug)]
pub(crate) struct AdminOrEmployee(pub(crate) Caller);

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match parts.headers.get(KEY_HEADER) {
            Some(key) if app.keys.admit(key.as_bytes()) => {
                kit::acts(Actor::Root);
                fitting_query(parts)?;
                Ok(Self)
            }
            Some(_) => Err(Problem::unauthorized("The key in X-API-Key is not an admin's.", vec![KEY_CHALLENGE])),
            None => Err(Problem::unauthorized("This needs an admin's key in X-API-Key.", vec![KEY_CHALLENGE])),
        }
    }
}

impl FromRequestParts<Arc<App>> for EmployeeCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Some(token) = bearer(parts) else {
            let detail = "This needs an employee's token: log in, and send it as `Authorization: Bearer <token>`.";
            return Err(Problem::unauthorized(detail, vec![TOKEN_CHALLENGE]));
        };
        let refused =
            || Problem::unauthorized("The token is not good, or no longer: log in again.", vec![TOKEN_REFUSED]);
        let now = app.clock.now();
        let claims = app.tokens.verify(token, now).ok_or_else(refused)?;
        match app.revocations.standing(claims.sub, claims.epoch, now) {
            Standing::Good => {
                Span::current().record("employee_id", claims.sub.to_string());
                kit::acts(Actor::Person { employee: claims.sub, session: None });
                fitting_query(parts)?;
                Ok(Self(claims.sub))
            }
            Standing::Revoked => Err(refused()),
            Standing::Unknown => {
                let detail = "Whether the token is still good cannot be told now. Try again in a moment.";
                Err(Problem::new(Code::Unavailable, detail))
            }
        }
    }
}

impl FromRequestParts<Arc<App>> for AdminOrEmployee {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if parts.headers.contains_key(KEY_HEADER) {
            return Admin::from_request_parts(parts, app).await.map(|Admin| Self(Caller::Admin));
        }
        if bearer(parts).is_none() {
            let detail =
                "This needs an admin's key in X-API-Key, or an employee's token as `Authorization: Bearer <token>`.";
            return Err(Problem::unauthorized(detail, vec![KEY_CHALLENGE, TOKEN_CHALLENGE]));
        }
        EmployeeCaller::from_request_parts(parts, app).await.map(|EmployeeCaller(id)| Self(Caller::Employee(id)))
    }
}

/// The token of `Authorization: Bearer <token>`; the scheme in any case of its letters (RFC 9110, 11.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
