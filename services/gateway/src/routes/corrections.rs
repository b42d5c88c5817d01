use std::{convert::identity, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::{
    Caller, CorrectWindow, ListQuarantine, QuarantineCursor, QuarantinedWindow, ReplayQuarantined, VoidWindow, Window,
    WindowCorrection, WindowId,
};

use super::{
    form::Form,
    list::{List, ListRequest},
    time_entries::{WindowSeen, seen},
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    extract::{Body, Listing, Paging, PathId},
};

/// Correct one recorded window.
///
/// The old state, who and when are kept; analytics follow.
#[utoipa::path(
    patch, path = "/api/v1/time-entries/{id}", tag = "Time", security(("adminKey" = [])),
    params(("id" = WindowId, Path, description = "Which.")),
    request_body(content = WindowCorrection, example = json!({"end": 1_760_000_300_000i64, "note": "went home earlier"})),
    responses(
        (status = 200, description = "Corrected.", body = Window),
        (status = 400, description = "`nothing_to_change`, `unknown_project`, `unknown_task`."),
        (status = 409, description = "`voided`: it counts no longer, so it cannot be corrected."),
    ),
)]
pub(super) async fn correct_window(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<WindowId>,
    Body(changes): Body<WindowCorrection>,
) -> Result<Json<Window>, Problem> {
    Ok(Json(app.ask(Caller::Admin, &CorrectWindow { id, changes }).await?))
}

/// Void one recorded window: it counts no longer.
///
/// The old state, who and when are kept; analytics follow. Sent again by the client, it stays voided.
#[utoipa::path(
    delete, path = "/api/v1/time-entries/{id}", tag = "Time", security(("adminKey" = [])),
    params(("id" = WindowId, Path, description = "Which.")),
    responses((status = 204, description = "Voided.")),
)]
pub(super) async fn void_window(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<WindowId>,
) -> Result<StatusCode, Problem> {
    app.ask(Caller::Admin, &VoidWindow { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The windows that may not be recorded, or not yet, with the reason; the oldest first.
#[utoipa::path(
    get, path = "/api/v1/quarantine", tag = "Time", security(("adminKey" = [])),
    params(Paging),
    responses((status = 200, description = "All of them.", body = Vec<QuarantinedWindow>)),
)]
pub(super) async fn list_quarantine(
    State(app): State<Arc<App>>,
    Admin: Admin,
    listing: Listing,
) -> Result<Response, Problem> {
    let list = List { app, caller: Caller::Admin, listing, form: Form::Json };
    list.answer(ListQuarantine { after: None }, identity).await
}

impl ListRequest for ListQuarantine {
    type Item = QuarantinedWindow;
    type Place = QuarantineCursor;

    fn after(&self, after: Option<QuarantineCursor>) -> Self {
        Self { after }
    }

    fn place(&self, item: &QuarantinedWindow) -> QuarantineCursor {
        QuarantineCursor { since: item.since, employee_id: item.employee_id, id: item.id }
    }
}

/// Try a window from quarantine again, by the rules as they are now.
#[utoipa::path(
    post, path = "/api/v1/quarantine/{id}/replay", tag = "Time", security(("adminKey" = [])),
    params(("id" = WindowId, Path, description = "Which.")),
    responses((status = 200, description = "What became of it: recorded, queued or rejected.", body = WindowSeen)),
)]
pub(super) async fn replay_quarantined(
    State(app): State<Arc<App>>,
    Admin: Admin,
    PathId(id): PathId<WindowId>,
) -> Result<Response, Problem> {
    let state = app.ask(Caller::Admin, &ReplayQuarantined { id }).await?;
    Ok(Json(seen(id, state)).into_response())
}
