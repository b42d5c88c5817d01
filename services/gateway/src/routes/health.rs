use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, error::retry_after};

/// The response of `/healthz`.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Check whether the process runs.
///
/// Nothing else is checked.
#[utoipa::path(
    get, path = "/healthz", tag = "Health",
    responses((status = 200, description = "It does.", body = Alive)),
)]
pub(super) async fn healthz() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// The response of `/readyz`.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `ready` or `not ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// The names of what is missing, such as `start-up`, `nats`, `revocations` or `stream INGEST`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!([]))]
    missing: Vec<String>,
}

/// Check whether the process can do its work, and what is missing.
#[utoipa::path(
    get, path = "/readyz", tag = "Health",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "Something is missing.", body = Readiness, example = json!({"status": "not ready", "missing": ["nats"]})),
    ),
)]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let missing = app.health.missing().await;
    if missing.is_empty() {
        return Json(Readiness { status: "ready", missing }).into_response();
    }
    let body = Json(Readiness { status: "not ready", missing });
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, retry_after())], body).into_response()
}
