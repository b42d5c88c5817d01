//! The API for requested corrections.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use contracts::{
    AcceptCorrection, AskCorrection, Bounded, CorrectionCursor, CorrectionId, CorrectionRequest, CorrectionSent,
    CorrectionStatus, CorrectionTaken, EmployeeId, GetCorrection, ListCorrections, Note, Reason, RefuseCorrection,
    TeamId, UnknownCorrectionStatus, given, given_present,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    actors::{CorrectionWithDecider, name_actors},
    created::created,
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::{Admin, AdminOrEmployee, Asker, EmployeeCaller},
    error::Problem,
    extract::{Body, Listing, Paging, Params, PathId},
    teams,
};

/// The body of a request that accepts a correction.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CorrectionAcceptance)]
pub(crate) struct Acceptance {
    /// The reason, which the employee reads.
    #[serde(default, deserialize_with = "given_present")]
    #[schema(value_type = Reason, required = false)]
    reason: Option<Note>,
}

/// The body of a request that refuses a correction.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CorrectionRefusal)]
pub(crate) struct Refusal {
    /// The reason, which the employee reads.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    reason: Note,
}

/// Request a correction of one's own time.
///
/// The correction may add new time, change a recorded window, or ask that a window does not count
/// (`void`). Nothing changes until somebody else accepts the correction. The employee must have
/// been on the project and task at the time, as for tracked time. A repetition, with the same `id`
/// or the same content, gets the current state of the correction. After a refusal, a request with
/// another reason is a new correction.
#[utoipa::path(
    post, path = "/api/v1/correction", tag = "Corrections", security(("employeeToken" = [])),
    request_body(content = CorrectionSent, example = json!({
        "start": 1_760_000_000_000i64, "end": 1_760_003_600_000i64, "projectId": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071",
        "taskId": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072", "reason": "I forgot to start the app."
    })),
    responses(
        (status = 201, description = "Asked.", body = CorrectionWithDecider),
        (status = 200, description = "The same was asked before: as it stands now.", body = CorrectionWithDecider),
        (status = 400, description = "`not_on_project`, `not_on_task`, `project_archived`, `unknown_project`, `unknown_task`, `employee_deactivated`: the time could not have been tracked. `clock_ahead`: it is still to come. `clock_behind`: it is too long ago. `nothing_to_change`: the window says this already."),
        (status = 404, description = "`not_found`: the employee has no such recorded window."),
        (status = 409, description = "`conflict`: another correction has this id. `voided`: the window counts no longer."),
    ),
)]
pub(super) async fn ask_correction(
    State(app): State<Arc<App>>,
    EmployeeCaller(employee): EmployeeCaller,
    Body(asked): Body<CorrectionSent>,
) -> Result<Response, Problem> {
    let ask = AskCorrection { id: asked.id(employee), asked };
    let CorrectionTaken { correction, repeated } = Asker::Own(employee).ask(&app, ask).await?;
    let location = format!("/api/v1/correction/{}", correction.id);
    let shown = named(&app, correction).await;
    Ok(if repeated { Json(shown).into_response() } else { created(location, shown) })
}

/// List requested corrections, the newest first.
///
/// Employees see their own corrections; managers also see those of their teams; other callers with
/// the scope see all.
#[utoipa::path(
    get, path = "/api/v1/correction", tag = "Corrections", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        ("status" = Option<CorrectionStatus>, Query, description = "Those of which this has become only: `asked`, `accepted` or `refused`."),
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these employees only: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of the employees of these teams only."),
        Paging,
    ),
    responses(
        (status = 200, description = "The corrections.", body = Vec<CorrectionWithDecider>),
        (status = 403, description = "`forbidden`: an id in employeeId is another employee's."),
    ),
)]
pub(super) async fn list_corrections(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let status = params.get("status", &UnknownCorrectionStatus.to_string())?;
    let within = teams::within(&app, &asker, &params).await?;
    let request = ListCorrections { status, limit: listing.limit, ..ListCorrections::default() };
    // The service limits employees to their own corrections already.
    let within = within.filter(|_| asker.own().is_none());
    let list = List { app, asker, listing, form: Form::Json };
    list.answer_with_actors::<_, CorrectionWithDecider>(Bounded { asked: request, within }).await
}

impl ListRequest for ListCorrections {
    type Item = CorrectionRequest;
    type Place = CorrectionCursor;

    fn after(&self, after: Option<CorrectionCursor>) -> Self {
        Self { after, ..*self }
    }

    fn place(&self, item: &CorrectionRequest) -> CorrectionCursor {
        item.place()
    }
}

/// Get one requested correction.
#[utoipa::path(
    get, path = "/api/v1/correction/{id}", tag = "Corrections", security(("adminKey" = []), ("employeeToken" = [])),
    params(("id" = CorrectionId, Path, description = "Which.")),
    responses((status = 200, description = "The correction.", body = CorrectionWithDecider)),
)]
pub(super) async fn get_correction(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    PathId(id): PathId<CorrectionId>,
) -> Result<Json<CorrectionWithDecider>, Problem> {
    let correction = asker.ask(&app, GetCorrection { id }).await?;
    Ok(Json(named(&app, correction).await))
}

/// Accept a correction: make it as it was requested.
///
/// New time becomes a window of type `manual`; a recorded window is corrected or voided. The field
/// `correctionId` of the window names the correction. The employee is informed by mail. A
/// repetition changes nothing. Nobody may accept their own correction.
#[utoipa::path(
    post, path = "/api/v1/correction/{id}/accept", tag = "Corrections", security(("adminKey" = [])),
    params(("id" = CorrectionId, Path, description = "Which.")),
    request_body(content = Option<Acceptance>, example = json!({"reason": "Bob says so too."})),
    responses(
        (status = 200, description = "Accepted.", body = CorrectionWithDecider),
        (status = 400, description = "`not_on_project`, `not_on_task`, `project_archived`, `unknown_project`, `unknown_task`, `employee_deactivated`: the time could not have been tracked."),
        (status = 403, description = "`own_time`: somebody else decides about one's own time."),
        (status = 409, description = "`already_decided`: it was refused. `conflict`: the window has changed since this was asked for. `voided`: it counts no longer. `period_locked`: the time is settled, and the answer says by which lock or period."),
    ),
)]
pub(super) async fn accept_correction(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<CorrectionId>,
    acceptance: Option<Body<Option<Acceptance>>>,
) -> Result<Json<CorrectionWithDecider>, Problem> {
    let reason = acceptance.and_then(|Body(acceptance)| acceptance?.reason);
    let correction = asker.ask(&app, AcceptCorrection { id, reason }).await?;
    Ok(Json(named(&app, correction).await))
}

/// Refuse a correction.
///
/// No time changes. The correction is kept, with who refused it, when and why, and the employee is
/// informed by mail. A repetition changes nothing.
#[utoipa::path(
    post, path = "/api/v1/correction/{id}/refuse", tag = "Corrections", security(("adminKey" = [])),
    params(("id" = CorrectionId, Path, description = "Which.")),
    request_body(content = Refusal, example = json!({"reason": "That day was a holiday."})),
    responses(
        (status = 200, description = "Refused.", body = CorrectionWithDecider),
        (status = 403, description = "`own_time`: somebody else decides about one's own time."),
        (status = 409, description = "`already_decided`: it was accepted."),
    ),
)]
pub(super) async fn refuse_correction(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<CorrectionId>,
    Body(Refusal { reason }): Body<Refusal>,
) -> Result<Json<CorrectionWithDecider>, Problem> {
    let correction = asker.ask(&app, RefuseCorrection { id, reason }).await?;
    Ok(Json(named(&app, correction).await))
}

/// A correction with the name of the actor who has decided about it.
async fn named(app: &App, correction: CorrectionRequest) -> CorrectionWithDecider {
    let mut shown = [CorrectionWithDecider::from(correction)];
    name_actors(&app.names, &mut shown).await;
    let [shown] = shown;
    shown
}
