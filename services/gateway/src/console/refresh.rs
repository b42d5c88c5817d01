//! Requests that a page sends by itself to refresh its content.

use axum::http::HeaderMap;

/// Whether htmx sent the request by itself.
pub(super) fn is_refresh(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}
