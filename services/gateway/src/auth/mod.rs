//! Authentication and authorization. The extractors here run before the body is read. They check
//! the query parameters after the credentials, so that an anonymous caller first gets the error
//! about the credentials.

mod access;
mod asker;
mod credentials;
mod entries;
mod for_managers;
mod key_uses;
mod keys;
mod revocations;
mod session_uses;
mod tokens;

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use contracts::{Code, EmployeeId};

use self::access::authorize;
pub(crate) use self::{
    access::{Access, Pass, Refusal, authorize_page},
    asker::{Asker, ForManagers},
    credentials::TOKEN_CHALLENGE,
    key_uses::KeyUses,
    keys::AdminKeys,
    revocations::Revocations,
    session_uses::SessionUses,
    tokens::Tokens,
};
use crate::{App, error::Problem, extract::fitting_query, limits::Meter};

/// The extractor for callers with the scope that the route requires.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) Asker);

/// The extractor for employees who act for themselves.
#[derive(Debug)]
pub(crate) struct EmployeeCaller(pub(crate) EmployeeId);

/// The extractor for callers with the scope that the route requires, and for employees who act for
/// themselves.
#[derive(Debug)]
pub(crate) struct AdminOrEmployee(pub(crate) Asker);

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match caller(parts, app).await? {
            Asker::Own(_) => Err(misnamed()),
            asker => Ok(Self(asker)),
        }
    }
}

impl FromRequestParts<Arc<App>> for EmployeeCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        caller(parts, app).await?.own().map(Self).ok_or_else(misnamed)
    }
}

impl FromRequestParts<Arc<App>> for AdminOrEmployee {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        caller(parts, app).await.map(Self)
    }
}

/// Authenticates and authorizes the caller of a route, and checks the query parameters.
async fn caller(parts: &Parts, app: &Arc<App>) -> Result<Asker, Problem> {
    let asker = match authorize(parts, app).await {
        Ok(asker) => asker,
        Err(problem) => {
            // Counts the refused request for its network address, so that credentials cannot be
            // guessed without limit. A request that was already counted for its caller is not
            // counted again.
            Meter::of(parts).map_or(Ok(()), Meter::count_to_address)?;
            return Err(problem);
        }
    };
    fitting_query(parts)?;
    Ok(asker)
}

/// The problem for a programming error: the handler's extractor does not fit the [`Access`] that
/// the router declares.
fn misnamed() -> Problem {
    tracing::error!("the router names other callers for this route than its handler takes");
    Problem::new(Code::Internal, "Something went wrong on our side.")
}
