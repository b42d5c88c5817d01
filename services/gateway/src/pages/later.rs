use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use contracts::Failure;
use maud::html;

use super::layout::page;
use crate::error::retry_after;

/// The page for a failure that may pass. `still_good` is a sentence which says that the visitor's
/// link or password is not affected.
pub(super) fn later(failure: &Failure, still_good: &str) -> Response {
    let status = StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content = html! {
        p { "We cannot do this at the moment. " (still_good) }
        p { "Try again in a minute." }
    };
    let mut response = page(status, "Please try again", &content);
    let seconds = failure.retry_after.map_or_else(retry_after, HeaderValue::from);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}
