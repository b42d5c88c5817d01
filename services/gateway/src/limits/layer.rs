use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Meter;
use crate::{App, client::ClientAddress, extract::Queries};

/// The routes for monitoring, which have no rate limit.
const FREE: [&str; 2] = ["/healthz", "/readyz"];

/// Counts each request against a limit, and writes what is left of the limit into the response. A
/// request that has credentials, for a route that requires them, is counted in `auth` as soon as
/// its caller is known. Every other request is counted here, by its network address.
pub(crate) async fn limit(
    State((app, queries)): State<(Arc<App>, Arc<Queries>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if route.is_some_and(|route| FREE.contains(&route)) {
        return next.run(request).await;
    }
    let shows = request.headers().contains_key(header::AUTHORIZATION) || request.headers().contains_key("x-api-key");
    let is_checked = shows && route.is_some_and(|route| queries.need_credentials(request.method(), route));
    let address = request.extensions().get::<ClientAddress>().map(|ClientAddress(address)| *address);
    let meter = Meter::new(app.limits.clone(), address);
    let counted = if is_checked { Ok(()) } else { meter.count_to_address() };
    let mut response = match counted {
        Ok(()) => {
            request.extensions_mut().insert(meter.clone());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    meter.write(response.headers_mut());
    response
}
