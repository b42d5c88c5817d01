use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    ApiKey, CreateApiKey, Employee, EmployeeId, GetApiKey, KeyId, ListApiKeys, NewApiKey, RevokeApiKey, Role, SetRole,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    actors::{KeyWithMaker, NewKeyWithMaker, name_actors},
    created::created,
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    extract::{Body, OnlyIf, PathId},
};

/// Make an API key.
///
/// The key has a role or scopes, and may allow no more than the caller may do. No other response
/// contains the text of the key.
#[utoipa::path(
    post, path = "/api/v1/api-key", tag = "Keys and roles", security(("adminKey" = [])),
    request_body(content = CreateApiKey, example = json!({"name": "Nightly export", "scopes": ["r:analytics", "r:time"]})),
    responses(
        (status = 201, description = "Made. Keep `key`: it is shown this once.", body = NewKeyWithMaker),
        (status = 409, description = "`conflict`: there are as many keys as there may be."),
    ),
)]
pub(super) async fn create_api_key(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(request): Body<CreateApiKey>,
) -> Result<Response, Problem> {
    let made: NewApiKey = asker.ask(&app, request).await?;
    let location = format!("/api/v1/api-key/{}", made.about.id);
    let mut made = [NewKeyWithMaker::from(made)];
    name_actors(&app.names, &mut made).await;
    let [made] = made;
    Ok(created(location, made))
}

/// List all API keys that were not revoked, without their texts.
#[utoipa::path(
    get, path = "/api/v1/api-key", tag = "Keys and roles", security(("adminKey" = [])),
    responses((status = 200, description = "The keys, the oldest first.", body = Vec<KeyWithMaker>)),
)]
pub(super) async fn list_api_keys(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
) -> Result<Json<Vec<KeyWithMaker>>, Problem> {
    let mut keys: Vec<_> = asker.ask(&app, ListApiKeys {}).await?.into_iter().map(Into::into).collect();
    name_actors(&app.names, &mut keys).await;
    Ok(Json(keys))
}

/// Get an API key that was not revoked, without its text.
#[utoipa::path(
    get, path = "/api/v1/api-key/{id}", tag = "Keys and roles", security(("adminKey" = [])),
    params(("id" = KeyId, Path, description = "Which.")),
    responses((status = 200, description = "The key.", body = KeyWithMaker)),
)]
pub(super) async fn get_api_key(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<KeyId>,
) -> Result<Json<KeyWithMaker>, Problem> {
    let key: ApiKey = asker.ask(&app, GetApiKey { id }).await?;
    let mut key = [key.into()];
    name_actors(&app.names, &mut key).await;
    let [key] = key;
    Ok(Json(key))
}

/// Revoke an API key.
///
/// The key is refused within a second.
#[utoipa::path(
    delete, path = "/api/v1/api-key/{id}", tag = "Keys and roles", security(("adminKey" = [])),
    params(("id" = KeyId, Path, description = "Which.")),
    responses((status = 204, description = "Revoked.")),
)]
pub(super) async fn revoke_api_key(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<KeyId>,
) -> Result<StatusCode, Problem> {
    asker.ask(&app, RevokeApiKey { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The role to give to an employee.
#[derive(Deserialize, ToSchema)]
pub(super) struct GivenRole {
    /// The role.
    role: Role,
}

/// Give an employee another role.
///
/// The employee's tokens are refused within a second, and the employee must log in again.
#[utoipa::path(
    put, path = "/api/v1/employee/{id}/role", tag = "Keys and roles", security(("adminKey" = [])),
    params(("id" = EmployeeId, Path, description = "Whom.")),
    request_body(content = GivenRole, example = json!({"role": "admin"})),
    responses(
        (status = 200, description = "The employee has this role.", body = Employee),
        (status = 409, description = "`last_owner`: without this employee there would be no owner."),
        (status = 412, description = "`precondition_failed`: they have changed since they were read."),
    ),
)]
pub(super) async fn set_role(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<EmployeeId>,
    Body(GivenRole { role }): Body<GivenRole>,
) -> Result<Json<Employee>, Problem> {
    Ok(Json(asker.ask(&app, only_if.on(SetRole { id, role })).await?))
}
