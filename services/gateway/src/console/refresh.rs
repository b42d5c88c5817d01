//! Requests by which an open page refreshes its content.

use axum::http::HeaderMap;

/// Whether htmx sent the request to refresh a page.
pub(super) fn is_refresh(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}
