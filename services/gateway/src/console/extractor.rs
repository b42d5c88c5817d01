//! Extracts the visitor from a request. Every handler of a page or form, except those for logging
//! in and out, has a visitor as its first argument.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts, response::Response};

use super::{cookie, errors, places, reader::Reader, refresh::is_refresh, visitor::Visitor};
use crate::{
    App,
    auth::{Access, Refusal, authorize_page},
};

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let here = parts.uri.path_and_query().map_or("/console", |here| here.as_str()).to_owned();
        let is_refresh = is_refresh(&parts.headers);
        let log_in = || errors::log_in_first(app, &here, is_refresh);
        let Some(token) = cookie::token(app, &parts.headers) else { return Err(log_in()) };
        // The router declares no access for an unknown path below the console. Everybody who is
        // logged in gets the 404 page there.
        let access = parts.extensions.get::<Access>().copied().unwrap_or(Access::Own);
        let settings = app.organisation.settings().await;
        let reader = Reader::of(&parts.headers, &settings);
        let visitor = |pass| Self::new(app.clone(), pass, reader, is_refresh, here.clone());
        match authorize_page(app, token, access, parts).await {
            Ok(pass) => Ok(visitor(pass)),
            Err(Refusal::LogIn) => Err(log_in()),
            Err(Refusal::Forbidden(pass)) => {
                // The start page is not for employees without a role, so they are redirected to
                // their own page.
                if pass.scopes.0.is_empty() && parts.uri.path() == places::NOW.path {
                    return Err(errors::see(places::MY_DAY.path));
                }
                Err(visitor(pass).forbidden())
            }
            Err(Refusal::Failed(failure)) => Err(errors::alone(app, &failure)),
        }
    }
}
