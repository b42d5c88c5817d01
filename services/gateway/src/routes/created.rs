use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// 201 with the created thing and its location.
pub(super) fn created(location: String, thing: impl Serialize) -> Response {
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(thing)).into_response()
}
