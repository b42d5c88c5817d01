//! What is at `/`: links, for people and for programs.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use maud::html;
use serde_json::json;

use super::layout::page;
use crate::{App, extract::wants_html};

/// Says what this is, and where to go on.
pub(crate) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if !wants_html(&headers) {
        let links = json!({
            "name": "T3 time tracker",
            "version": env!("CARGO_PKG_VERSION"),
            "docs": app.base.path("/docs"),
            "openapi": app.base.path("/openapi.json"),
            "health": app.base.path("/healthz"),
        });
        return Json(links).into_response();
    }
    let content = html! {
        p { "This is the server of the T3 time tracker. Time is tracked with the T3 desktop app." }
        p { a href=(app.base.path("/forgot")) { "I have forgotten my password" } "." }
        p { "For developers: " a href=(app.base.path("/docs")) { "the documentation of its API" } "." }
    };
    page(StatusCode::OK, "T3 time tracker", &content)
}
