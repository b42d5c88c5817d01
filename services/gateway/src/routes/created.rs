use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The response 201 with the created item and its URL in `Location`.
pub(super) fn created(location: String, thing: impl Serialize) -> Response {
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(thing)).into_response()
}
