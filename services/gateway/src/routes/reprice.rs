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

/// How long it may take to look at all windows of a filter.
pub(crate) const REPRICE_PATIENCE: Duration = Duration::from_secs(30);

/// Which windows: those that every list takes. Something must be named.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RepriceOf {
    /// Of these employees only.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    employee_id: Vec<EmployeeId>,
    /// Of the employees of these teams only.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    team_id: Vec<TeamId>,
    /// On these projects only.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    project_id: Vec<ProjectId>,
    /// On these tasks only.
    #[serde(default)]
    #[schema(max_items = 1_000)]
    task_id: Vec<TaskId>,
    /// In these shifts only.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1_000)]
    shift_id: Vec<Label>,
    /// Only those that begin then or later.
    #[serde(default)]
    #[schema(value_type = Option<MomentSent>)]
    start: Option<Millis>,
    /// Only those that begin before.
    #[serde(default)]
    #[schema(value_type = Option<MomentSent>)]
    end: Option<Millis>,
}

/// What is to be priced anew: first as a preview, then with the hash of that.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RepriceRequest {
    /// Which windows.
    filter: RepriceOf,
    /// Only say what would become of them.
    #[serde(default)]
    preview: Option<bool>,
    /// The hash of the preview that is to be done.
    #[serde(default)]
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    hash: Option<String>,
}

/// Give recorded windows the rates that hold for their days now.
///
/// With `preview: true` nothing changes: the answer says how many windows get another price, what they cost
/// and earn then, and how much more that is; with a `hash` of all that was looked at. With that `hash` and the
/// same `filter` a job is begun, if nothing has changed since; the same call again is the same job. Settled
/// windows stay as they are and are counted. A window is priced whole, day by day; an admin's own rates on it
/// are replaced too.
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
    /// The same in the terms of timetrack, which knows of no teams.
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

/// How far a job is that prices windows anew.
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
