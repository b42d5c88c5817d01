use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use contracts::{
    Caller, EmployeeId, Failure, GetReprice, GetTeamMembers, Label, Millis, MomentSent, NOBODY, PreviewReprice,
    ProjectId, RepriceFilter, RepriceId, RepriceJob, RepricePreview, StartReprice, TaskId, TeamId, TimeRange,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    App,
    auth::{Admin, Asker},
    error::Problem,
    extract::{Body, PathId},
};

/// The time limit for a preview or a start, which read all windows that a filter selects.
pub(crate) const REPRICE_PATIENCE: Duration = Duration::from_secs(30);

/// The windows to reprice: those that pass every given filter. At least one filter must be given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RepriceOf {
    /// Only windows of these employees.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    employee_id: Vec<EmployeeId>,
    /// Only windows of the employees of these teams.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    team_id: Vec<TeamId>,
    /// Only windows on these projects.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    project_id: Vec<ProjectId>,
    /// Only windows on these tasks.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    task_id: Vec<TaskId>,
    /// Only windows in these shifts.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1_000)]
    shift_id: Vec<Label>,
    /// Only windows that begin at this moment or later.
    #[serde(default)]
    #[schema(value_type = Option<MomentSent>)]
    start: Option<Millis>,
    /// Only windows that begin before this moment.
    #[serde(default)]
    #[schema(value_type = Option<MomentSent>)]
    end: Option<Millis>,
}

/// A request to reprice windows. The first request asks for a preview, the second has the hash of
/// that preview.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RepriceRequest {
    /// The filter that selects the windows.
    filter: RepriceOf,
    /// Whether to return only a preview.
    #[serde(default)]
    preview: Option<bool>,
    /// The hash of the preview that is to be carried out.
    #[serde(default)]
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    hash: Option<String>,
}

/// Give recorded windows the rates that their days have now.
///
/// With `preview: true` nothing changes. The response has the number of windows that would get
/// other rates, their new cost and income, the difference from the current ones, and a `hash`. A
/// request with this `hash` and the same `filter` starts a job, if nothing has changed since the
/// preview; a repetition gets the same job. Settled windows keep their rates and are counted
/// separately. A window gets the rates of each of its days. Rates that an admin set on a window are
/// replaced too.
#[utoipa::path(
    post, path = "/api/v1/reprice", tag = "Rates", security(("adminKey" = [])),
    request_body(content = RepriceRequest, example = json!({
        "filter": {"projectId": ["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071"]}, "preview": true
    })),
    responses(
        (status = 200, description = "The preview.", body = RepricePreview),
        (status = 202, description = "The job, which goes on by itself: `Location` says where to look.", body = RepriceJob),
        (status = 400, description = "`no_filter`: the filter names nothing."),
        (status = 409, description = "`preview_changed`: windows or rates have changed since the preview."),
    ),
)]
pub(super) async fn reprice(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(RepriceRequest { filter, preview, hash }): Body<RepriceRequest>,
) -> Result<Response, Problem> {
    let filter = filter.resolved(&app, &asker).await?;
    match (preview.unwrap_or(false), hash) {
        (true, None) => {
            let preview = asker.ask_within(&app, REPRICE_PATIENCE, PreviewReprice { filter }).await?;
            Ok(Json(preview).into_response())
        }
        (false, Some(hash)) => {
            let job = asker.ask_within(&app, REPRICE_PATIENCE, StartReprice { filter, hash }).await?;
            let location = format!("/api/v1/reprice/{}", job.id);
            Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(job)).into_response())
        }
        _ => Err(Failure::field("hash", "must be given, or `preview` be true: one of both").into()),
    }
}

impl RepriceOf {
    /// Converts the filter for timetrack, which does not know teams: teams become their employees.
    async fn resolved(self, app: &App, asker: &Asker) -> Result<RepriceFilter, Failure> {
        let Self { employee_id: mut employees, team_id: teams, project_id, task_id, shift_id, start, end } = self;
        asker.require_sight_of(&employees, &teams)?;
        if !teams.is_empty() {
            let mut members = app.ask(Caller::Service, &GetTeamMembers { teams }).await?;
            if !employees.is_empty() {
                members.retain(|member| employees.contains(member));
            }
            employees = if members.is_empty() { vec![NOBODY] } else { members };
        }
        let begin = match (start, end) {
            (None, None) => None,
            (start, end) => {
                let (start, end) = (start.unwrap_or(Millis(i64::MIN)), end.unwrap_or(Millis(i64::MAX)));
                Some(TimeRange::new(start, end).map_err(|error| Failure::field("filter.end", error))?)
            }
        };
        Ok(RepriceFilter { employees, projects: project_id, tasks: task_id, shifts: shift_id, begin })
    }
}

/// Get the progress of a repricing job.
#[utoipa::path(
    get, path = "/api/v1/reprice/{id}", tag = "Rates", security(("adminKey" = [])),
    params(("id" = RepriceId, Path, description = "Which.")),
    responses((status = 200, description = "The job.", body = RepriceJob)),
)]
pub(super) async fn get_reprice(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<RepriceId>,
) -> Result<Json<RepriceJob>, Problem> {
    Ok(Json(asker.ask(&app, GetReprice { id }).await?))
}
