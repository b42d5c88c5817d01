use std::{convert::identity, sync::Arc};

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{CreateTeam, DeleteTeam, GetTeam, ListTeams, Team, TeamChanges, TeamId, UpdateTeam};

use super::{
    created::created,
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    etags::Seen,
    extract::{Body, Listing, OnlyIf, Paging, PathId},
};

/// Create a team.
///
/// The managers of a team, if they have the role `manager`, see the employees of the team and
/// decide about their hours. Nobody decides about their own hours.
#[utoipa::path(
    post, path = "/api/v1/team", tag = "Teams", security(("adminKey" = [])),
    request_body(content = CreateTeam, example = json!({
        "name": "Design", "managers": ["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071"],
        "employees": ["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072"]
    })),
    responses(
        (status = 201, description = "Created.", body = Team),
        (status = 400, description = "`name_taken`: another team has this name, in whatever case of its letters. `unknown_employee`, `employee_deactivated`: somebody cannot be in it, or manage it; `errors` says where."),
        (status = 409, description = "`in_other_team`: somebody is in another team, and an employee is in one at most."),
    ),
)]
pub(super) async fn create_team(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(request): Body<CreateTeam>,
) -> Result<Response, Problem> {
    let team: Team = asker.ask(&app, request).await?;
    Ok(created(format!("/api/v1/team/{}", team.id), team))
}

/// List all teams.
///
/// A manager sees only the teams that they manage.
#[utoipa::path(
    get, path = "/api/v1/team", tag = "Teams", security(("adminKey" = [])),
    params(Paging),
    responses((status = 200, description = "The teams.", body = Vec<Team>)),
)]
pub(super) async fn list_teams(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    listing: Listing,
) -> Result<Response, Problem> {
    let list = List { app, asker, listing, form: Form::Json };
    list.answer(ListTeams { after: None }, identity).await
}

impl ListRequest for ListTeams {
    type Item = Team;
    type Place = TeamId;

    fn after(&self, after: Option<TeamId>) -> Self {
        Self { after }
    }

    fn place(&self, item: &Team) -> TeamId {
        item.id
    }
}

/// Get one team.
#[utoipa::path(
    get, path = "/api/v1/team/{id}", tag = "Teams", security(("adminKey" = [])),
    params(("id" = TeamId, Path, description = "Which.")),
    responses(
        (status = 200, description = "The team.", body = Team),
        (status = 403, description = "`other_team`: a manager asks for a team that others manage."),
    ),
)]
pub(super) async fn get_team(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<TeamId>,
) -> Result<Seen<Team>, Problem> {
    Ok(Seen(asker.ask(&app, GetTeam { id }).await?))
}

/// Change a team.
///
/// A list replaces the current one. A deactivated employee stays in their team, because of the
/// hours that they have worked. A deactivated employee cannot be added to a team.
#[utoipa::path(
    put, path = "/api/v1/team/{id}", tag = "Teams", security(("adminKey" = [])),
    params(("id" = TeamId, Path, description = "Which.")),
    request_body(content = TeamChanges, example = json!({"employees": ["0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072"]})),
    responses(
        (status = 200, description = "Changed.", body = Team),
        (status = 400, description = "`nothing_to_change`: the body names no field. Otherwise as when it is created."),
        (status = 409, description = "`in_other_team`: somebody is in another team."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn update_team(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<TeamId>,
    Body(changes): Body<TeamChanges>,
) -> Result<Json<Team>, Problem> {
    Ok(Json(asker.ask(&app, only_if.on(UpdateTeam { id, changes })).await?))
}

/// Delete a team.
///
/// The employees of the team are then in no team. Recorded time is kept.
#[utoipa::path(
    delete, path = "/api/v1/team/{id}", tag = "Teams", security(("adminKey" = [])),
    params(("id" = TeamId, Path, description = "Which.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 412, description = "`precondition_failed`: it has changed since it was read."),
    ),
)]
pub(super) async fn delete_team(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    only_if: OnlyIf,
    PathId(id): PathId<TeamId>,
) -> Result<StatusCode, Problem> {
    asker.ask(&app, only_if.on(DeleteTeam { id })).await?;
    Ok(StatusCode::NO_CONTENT)
}
