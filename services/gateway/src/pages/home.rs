//! The resource at `/`: browsers are redirected to the console, programs get links as JSON.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{App, extract::wants_html};

/// Answers a request for `/`.
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
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/console")]).into_response()
}
