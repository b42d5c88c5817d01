use std::sync::Arc;

use axum::{Json, extract::State};
use contracts::{GetSettings, SetSettings, Settings};

use crate::{
    App,
    auth::Admin,
    error::Problem,
    etags::Seen,
    extract::{Body, OnlyIf},
};

/// Get the settings of the organisation.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "Settings", security(("adminKey" = [])),
    responses((status = 200, description = "All of them; before somebody has chosen, those that hold at first.", body = Settings)),
)]
pub(super) async fn get_settings(State(app): State<Arc<App>>, Admin(asker): Admin) -> Result<Seen<Settings>, Problem> {
    Ok(Seen(asker.ask(&app, GetSettings {}).await?))
}

/// Change the settings of the organisation.
///
/// All fields must be given; they replace the current ones. The pages show the new settings within
/// a few seconds.
#[utoipa::path(
    put, path = "/api/v1/settings", tag = "Settings", security(("adminKey" = [])),
    request_body(content = Settings, example = json!({"timezone": "Europe/Berlin", "payPeriod": "biweek", "anchor": "2026-01-05", "weekStart": "monday"})),
    responses(
        (status = 200, description = "As they are now.", body = Settings),
        (status = 412, description = "`precondition_failed`: they have changed since they were read."),
    ),
)]
pub(super) async fn set_settings(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    Body(settings): Body<Settings>,
) -> Result<Json<Settings>, Problem> {
    let settings = asker.ask(&app, only_if.on(SetSettings { settings })).await?;
    app.organisation.forget().await;
    Ok(Json(settings))
}
