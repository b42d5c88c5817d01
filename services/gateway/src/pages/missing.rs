//! What is answered where there is nothing.

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use contracts::Code;
use maud::html;

use super::layout::page;
use crate::{error::Problem, extract::wants_html};

/// 404, as a page for people and as a problem for programs.
pub(crate) async fn show(headers: HeaderMap) -> Response {
    if !wants_html(&headers) {
        return Problem::new(Code::NotFound, "There is nothing at this path. /docs lists what there is.")
            .into_response();
    }
    let content = html! {
        p { "There is nothing at this address. Perhaps it was cut off: copy the whole of it into the address bar." }
        p { a href="/" { "To the start" } }
    };
    page(StatusCode::NOT_FOUND, "Nothing here", &content)
}
