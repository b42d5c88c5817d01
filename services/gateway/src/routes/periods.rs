use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, response::Response};
use contracts::{
    ApprovePeriod, Caller, EmployeeId, Failure, GetPeriod, KnownPeriod, Millis, Note, Page, PeriodId, Reason,
    ReopenPeriod, SendBackPeriod, ShownActor, SubmitPeriod, Tag, TeamId, given,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    actors::{HasActor, name_actors},
    form::Form,
    list::send,
};
use crate::{
    App,
    auth::{Admin, AdminOrEmployee, EmployeeCaller},
    error::Problem,
    etags::{Changeable, Seen},
    extract::{Body, Listing, OnlyIf, Paging, Params, PathId},
    periods::{self, Period},
    teams,
};

/// The time limit for an approval. Timetrack waits until each of its workers knows that the period
/// is closed. A crashed worker counts as dead 10 s after its last heartbeat; only then does
/// timetrack stop waiting for it.
const PATIENCE: Duration = Duration::from_secs(25);

/// List the pay periods of each employee that overlap a range.
///
/// The list is ordered by the beginning of the periods. `costs`, `income` and `time` are what
/// analytics counts for the employee in the period; an approved period keeps the values that it was
/// approved with. `adjustments` is separate: it is the sum of the employee's adjustments in the
/// period, as `GET /api/v1/adjustment` lists them. An employee gets their own periods; a manager
/// gets those of their teams. Without filters, the list has the periods of all employees who are
/// active, have time or adjustments in the range, or have submitted or approved periods in it.
#[utoipa::path(
    get, path = "/api/v1/period", tag = "Periods", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        ("start" = i64, Query, description = "The first moment, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = i64, Query, description = "The first moment after: at most 60 pay periods later.", example = 1_760_086_400_000i64),
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of these employees only: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "Of the employees of these teams only."),
        Paging,
    ),
    responses(
        (status = 200, description = "The periods.", body = Vec<Period>),
        (status = 403, description = "`forbidden`: an id in employeeId is another employee's."),
    ),
)]
pub(super) async fn list_periods(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let range = params.range()?;
    let employees = teams::employees_or_own(&app, &asker, &params).await?;
    let fetch = move |after: Option<(Millis, PeriodId)>| {
        let (app, asker, employees) = (app.clone(), asker.clone(), employees.clone());
        async move {
            let mut items = periods::list(&app, &asker, range, employees).await?;
            items.retain(|period| after.is_none_or(|after| place(period) > after));
            name_actors(&app.names, &mut items).await;
            Ok::<_, Failure>(Page { items, next: None })
        }
    };
    send(listing, Form::Json, fetch, place, |period| period).await
}

fn place(period: &Period) -> (Millis, PeriodId) {
    (period.start, period.id)
}

impl HasActor for Period {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.approved_by.as_mut()
    }
}

impl Changeable for Period {
    fn parts(&self) -> Vec<Tag> {
        vec![Tag::sent(&self.hash.to_string())]
    }
}

/// Converts a period from timetrack into the form that the API returns, with the name of its
/// approver.
async fn shown(app: &App, known: KnownPeriod) -> Period {
    let mut periods = [Period::of(known)];
    name_actors(&app.names, &mut periods).await;
    let [period] = periods;
    period
}

/// Get one pay period of an employee.
#[utoipa::path(
    get, path = "/api/v1/period/{id}", tag = "Periods", security(("adminKey" = []), ("employeeToken" = [])),
    params(("id" = PeriodId, Path, description = "Which, as the list shows it.")),
    responses((status = 200, description = "As it is now.", body = Period)),
)]
pub(super) async fn get_period(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    PathId(id): PathId<PeriodId>,
) -> Result<Seen<Period>, Problem> {
    asker.require_sight_of(&[id.employee], &[])?;
    let known = asker.ask(&app, GetPeriod { id }).await?;
    Ok(Seen(shown(&app, known).await))
}

/// Submit one's own pay period as complete.
///
/// After a change, the period can be submitted again, in its new state.
#[utoipa::path(
    post, path = "/api/v1/period/{id}/submit", tag = "Periods", security(("employeeToken" = [])),
    params(("id" = PeriodId, Path, description = "Which, as the list shows it.")),
    responses(
        (status = 200, description = "Submitted.", body = Period),
        (status = 403, description = "`forbidden`: it is another employee's."),
        (status = 409, description = "`period_approved`: it is approved already."),
    ),
)]
pub(super) async fn submit_period(
    State(app): State<Arc<App>>,
    EmployeeCaller(employee): EmployeeCaller,
    PathId(id): PathId<PeriodId>,
) -> Result<Json<Period>, Problem> {
    let known = app.ask(Caller::Employee(employee), &SubmitPeriod { id }).await?;
    Ok(Json(shown(&app, known).await))
}

/// Approve a pay period: nothing in it changes any more.
///
/// `If-Match` must be the `hash` that the approver has read, in quotes. Late windows are not
/// refused: they are quarantined as `period_locked` until somebody decides about them.
#[utoipa::path(
    post, path = "/api/v1/period/{id}/approve", tag = "Periods", security(("adminKey" = [])),
    params(("id" = PeriodId, Path, description = "Which, as the list shows it.")),
    responses(
        (status = 200, description = "Approved.", body = Period),
        (status = 403, description = "`own_period`: a manager decides about their own pay period."),
        (status = 409, description = "`windows_waiting`: windows that belong to it are not recorded yet. `period_overlaps`: another approved period holds a part of it."),
        (status = 412, description = "`period_changed`: it has changed since it was seen."),
    ),
)]
pub(super) async fn approve_period(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<PeriodId>,
) -> Result<Json<Period>, Problem> {
    let known = asker.ask_within(&app, PATIENCE, only_if.on_first(ApprovePeriod { id })).await?;
    Ok(Json(shown(&app, known).await))
}

/// The body of a request that sends a period back.
#[derive(Deserialize, ToSchema)]
pub(super) struct PeriodNote {
    /// What the employee must do. The employee gets this text by mail.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    note: Note,
}

/// Send a submitted pay period back to its employee.
#[utoipa::path(
    post, path = "/api/v1/period/{id}/send-back", tag = "Periods", security(("adminKey" = [])),
    params(("id" = PeriodId, Path, description = "Which, as the list shows it.")),
    request_body(content = PeriodNote, example = json!({"note": "Friday is missing."})),
    responses(
        (status = 200, description = "It is open again.", body = Period),
        (status = 403, description = "`own_period`: a manager decides about their own pay period."),
        (status = 409, description = "`period_not_submitted`: it is not submitted. `period_approved`: it is approved already."),
    ),
)]
pub(super) async fn send_back_period(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<PeriodId>,
    Body(PeriodNote { note }): Body<PeriodNote>,
) -> Result<Json<Period>, Problem> {
    let known = asker.ask(&app, SendBackPeriod { id, note }).await?;
    Ok(Json(shown(&app, known).await))
}

/// The body of a request that reopens a period.
#[derive(Deserialize, ToSchema)]
pub(super) struct ReopenReason {
    /// The reason. The audit trail keeps it, and the employee gets it by mail.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    reason: Note,
}

/// Reopen an approved pay period.
///
/// Only owners and admins may do this. Windows that were quarantined because of the approval are
/// checked again automatically.
#[utoipa::path(
    post, path = "/api/v1/period/{id}/reopen", tag = "Periods", security(("adminKey" = [])),
    params(("id" = PeriodId, Path, description = "Which, as the list shows it.")),
    request_body(content = ReopenReason, example = json!({"reason": "A sheet was found."})),
    responses(
        (status = 200, description = "It is open again.", body = Period),
        (status = 403, description = "`forbidden`: a manager asks."),
        (status = 409, description = "`period_not_approved`: it is not approved. `period_paid`: a pay run has paid it."),
    ),
)]
pub(super) async fn reopen_period(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<PeriodId>,
    Body(ReopenReason { reason }): Body<ReopenReason>,
) -> Result<Json<Period>, Problem> {
    let known = asker.ask(&app, ReopenPeriod { id, reason }).await?;
    Ok(Json(shown(&app, known).await))
}
