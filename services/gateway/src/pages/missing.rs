//! The response for unknown paths.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use contracts::Code;
use maud::html;

use super::layout::page;
use crate::{App, error::Problem, extract::wants_html};

/// Answers 404, as a page for browsers and as problem JSON for programs.
pub(crate) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if !wants_html(&headers) {
        let detail = format!("There is nothing at this path. {} lists what there is.", app.base.path("/docs"));
        return Problem::new(Code::NotFound, detail).into_response();
    }
    let content = html! {
        p { "There is nothing at this address. Perhaps it was cut off: copy the whole of it into the address bar." }
        p { a href=(app.base.path("/")) { "To the start" } }
    };
    page(StatusCode::NOT_FOUND, "Nothing here", &content)
}
