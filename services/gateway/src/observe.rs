//! Gives every request an id, a trace span and a log line.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contracts::Code;
use futures::FutureExt;
use kit::Origin;
use tracing::{Instrument, field::Empty, info_span};
use uuid::Uuid;

use crate::{App, client::ClientAddress, error::Problem, headers, metrics::InProgress};

/// The header with the id of the request, in requests and responses.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Handles a request in a span with its id, and logs the result. The log contains the template of
/// the path but never the path or the query, because these contain ids and tokens.
pub(crate) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let (started, _in_progress) = (Instant::now(), InProgress::begin(&app.metrics.in_progress));
    let id = given_id(request.headers()).unwrap_or_else(|| kit::new_id::<Uuid>().to_string());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = info_span!(
        "request",
        %method,
        route,
        request_id = id,
        trace_id = Empty,
        actor = Empty,
        employee_id = Empty,
    );
    kit::continue_http_trace(&span, request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let client = peer.map(|peer| app.proxies.client(peer, request.headers()));
    if let Some(client) = client {
        request.extensions_mut().insert(ClientAddress(client));
    }
    let address = client.map(|client| client.to_string());
    let work = Origin::of_request(id.clone()).with_address(address).scope(async {
        let handled = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = handled.unwrap_or_else(|_| {
            tracing::error!("a handler panicked");
            Problem::new(Code::Internal, "Something went wrong on our side. The log knows more by the trace id.")
                .into_response()
        });
        let headers = response.headers_mut();
        headers::complete(&method, &path, headers);
        // The conversion cannot fail: the id is a UUID, or a part of a valid header.
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, id);
        }
        let (status, took) = (response.status().as_u16(), started.elapsed());
        let micros = took.as_micros() as u64;
        if matches!(route.as_str(), "/healthz" | "/readyz") {
            tracing::debug!(status, micros, "answered");
        } else {
            tracing::info!(status, micros, "answered");
        }
        app.metrics.answered(&method, route, status, took);
        response
    });
    work.instrument(span).await
}

/// The request id that the caller or a proxy sent, if it has at most 64 characters, all of them
/// ASCII letters, digits, `-`, `_` or `.`.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    ((1..=64).contains(&id.len()) && id.chars().all(plain)).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_break_a_log_line_is_not_taken_over() {
        let given = |id: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).expect("a header"))]);
            given_id(&headers)
        };
        assert_eq!(given("0198c6f2-7f00_a.b"), Some("0198c6f2-7f00_a.b".into()));
        for bad in ["", "two words", "a;b", &"a".repeat(65)] {
            assert_eq!(given(bad), None, "{bad}");
        }
    }
}
