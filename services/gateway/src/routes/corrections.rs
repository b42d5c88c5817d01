use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::{
    AdmitQuarantined, Bounded, ContentHash, CorrectWindow, DiscardQuarantined, EmployeeId, Failure, Given,
    ListQuarantine, Note, QuarantineCursor, QuarantinedWindow, Reason, ReplayQuarantined, TeamId, VoidWindow, Window,
    WindowCorrection, WindowId, given_present,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    actors::QuarantinedWithDecider,
    form::Form,
    list::{List, ListRequest},
    time_entries::{WindowSeen, seen},
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    extract::{Bodies, Listing, OnlyIf, Paging, Params, PathId},
    teams,
};

/// The reason for correcting or voiding a window.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CorrectionReason)]
pub(crate) struct Because {
    /// The reason, which the audit trail keeps.
    #[serde(default, deserialize_with = "given_present")]
    #[schema(value_type = Reason, required = false)]
    reason: Option<Note>,
}

/// The changes of a window, and the reason for them.
#[derive(ToSchema)]
#[schema(as = ReasonedCorrection)]
#[expect(dead_code, reason = "the form of two things that are read one by one")]
struct ReasonedCorrection {
    #[serde(flatten)]
    changes: WindowCorrection,
    #[serde(flatten)]
    because: Because,
}

/// Correct one recorded window.
///
/// The former state of the window is kept, with who changed it, when and why. Reports show the new
/// state.
#[utoipa::path(
    patch, path = "/api/v1/time-entries/{id}", tag = "Time", security(("adminKey" = [])),
    params(("id" = WindowId, Path, description = "Which.")),
    request_body(content = ReasonedCorrection, example = json!({"end": 1_760_000_300_000i64, "reason": "Went home earlier."})),
    responses(
        (status = 200, description = "Corrected.", body = Window),
        (status = 400, description = "`nothing_to_change`, `unknown_project`, `unknown_task`."),
        (status = 409, description = "`voided`: it counts no longer, so it cannot be corrected."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn correct_window(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<WindowId>,
    Bodies(changes, Because { reason }): Bodies<WindowCorrection, Because>,
) -> Result<Json<Window>, Problem> {
    Ok(Json(asker.ask(&app, only_if.on(CorrectWindow { id, changes, reason })).await?))
}

/// Void one recorded window: it no longer counts.
///
/// The former state of the window is kept, with who voided it, when and why. Reports no longer
/// include the window. If the client sends the window again, it stays voided.
#[utoipa::path(
    delete, path = "/api/v1/time-entries/{id}", tag = "Time", security(("adminKey" = [])),
    params(
        ("id" = WindowId, Path, description = "Which."),
        ("reason" = Option<Reason>, Query, description = "Why: the audit trail keeps it.", example = "Sent twice."),
    ),
    responses(
        (status = 204, description = "Voided."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn void_window(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<WindowId>,
    params: Params,
) -> Result<StatusCode, Problem> {
    let reason: Option<String> = params.get("reason", "must be a text")?;
    let reason = reason.map(|reason| Note::given(&reason)).transpose();
    let reason = reason.map_err(|error| Failure::field("reason", error))?;
    asker.ask(&app, only_if.on(VoidWindow { id, reason })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List quarantined windows with the reason, the oldest first.
///
/// By default the list has the windows that wait for a decision. With `decided=true` it has those
/// that an admin has admitted or discarded, with who did so and when.
#[utoipa::path(
    get, path = "/api/v1/quarantine", tag = "Time", security(("adminKey" = [])),
    params(
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these employees only: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of the employees of these teams only."),
        Paging, ("decided" = Option<bool>, Query, description = "Those that are decided, in place of the others."),
    ),
    responses((status = 200, description = "All of them.", body = Vec<QuarantinedWithDecider>)),
)]
pub(super) async fn list_quarantine(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let decided = params.get("decided", "must be true or false")?.unwrap_or_default();
    let within = teams::within(&app, &asker, &params).await?;
    let list = List { app, asker, listing, form: Form::Json };
    let request = Bounded { asked: ListQuarantine { decided, ..ListQuarantine::default() }, within };
    list.answer_with_actors::<_, QuarantinedWithDecider>(request).await
}

impl ListRequest for ListQuarantine {
    type Item = QuarantinedWindow;
    type Place = QuarantineCursor;

    fn after(&self, after: Option<QuarantineCursor>) -> Self {
        Self { after, ..*self }
    }

    fn place(&self, item: &QuarantinedWindow) -> QuarantineCursor {
        let QuarantinedWindow { since, employee_id, id, content, .. } = *item;
        QuarantineCursor { since, employee_id, id, content }
    }
}

/// Check a quarantined window again by the current rules, and record it if they allow it.
#[utoipa::path(
    post, path = "/api/v1/quarantine/{id}/replay", tag = "Time", security(("adminKey" = [])),
    params(
        ("id" = WindowId, Path, description = "Which."),
        ("content" = Option<String>, Query, format = Uuid, description = "Which of those with this id, where there are several."),
    ),
    responses(
        (status = 200, description = "What became of it: recorded, queued or rejected.", body = WindowSeen),
        (status = 409, description = "`conflict`: several are held under this id."),
    ),
)]
pub(super) async fn replay_quarantined(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<WindowId>,
    params: Params,
) -> Result<Response, Problem> {
    let replay = ReplayQuarantined { id, content: content(&params)?, set_aside: true };
    let state = asker.ask(&app, replay).await?;
    Ok(Json(seen(id, state)).into_response())
}

/// Admit a quarantined window: record it although a rule does not allow it.
///
/// Any window can be admitted, unless its project, task or employee is unknown. Who admitted it,
/// and when, is kept. If the id belongs to another recorded window, the admitted window gets a new
/// id. A repetition gets the same window.
#[utoipa::path(
    post, path = "/api/v1/quarantine/{id}/admit", tag = "Time", security(("adminKey" = [])),
    params(
        ("id" = WindowId, Path, description = "Which."),
        ("content" = Option<String>, Query, format = Uuid, description = "Which of those with this id, where there are several."),
    ),
    responses(
        (status = 200, description = "Recorded.", body = Window),
        (status = 400, description = "`unknown_employee`, `unknown_project`, `unknown_task`: it cannot be recorded."),
        (status = 409, description = "`conflict`: several are held under this id."),
    ),
)]
pub(super) async fn admit_quarantined(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<WindowId>,
    params: Params,
) -> Result<Json<Window>, Problem> {
    let admit = AdmitQuarantined { id, content: content(&params)? };
    Ok(Json(asker.ask(&app, admit).await?))
}

/// Discard a quarantined window: it is not recorded.
///
/// The window is kept, with who discarded it and when. `GET /api/v1/quarantine?decided=true` lists
/// it.
#[utoipa::path(
    post, path = "/api/v1/quarantine/{id}/discard", tag = "Time", security(("adminKey" = [])),
    params(
        ("id" = WindowId, Path, description = "Which."),
        ("content" = Option<String>, Query, format = Uuid, description = "Which of those with this id, where there are several."),
    ),
    responses(
        (status = 204, description = "Discarded."),
        (status = 409, description = "`conflict`: several are held under this id, or it has been admitted."),
    ),
)]
pub(super) async fn discard_quarantined(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<WindowId>,
    params: Params,
) -> Result<StatusCode, Problem> {
    let discard = DiscardQuarantined { id, content: content(&params)? };
    asker.ask(&app, discard).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn content(params: &Params) -> Result<Option<ContentHash>, Failure> {
    params.get("content", "must be the content of a window that is held back, as the list shows it")
}
