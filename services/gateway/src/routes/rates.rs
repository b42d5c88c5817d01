use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use contracts::{
    DatedRate, DeleteRate, EmployeeId, GetRate, ListRates, ProjectId, RateId, RateKind, SetRate, TaskId, TeamId,
};

use super::{
    created::created,
    form::Form,
    list::{List, ListRequest},
};
use crate::{
    App,
    auth::Admin,
    error::Problem,
    extract::{Body, Listing, Paging, Params, PathId},
    teams,
};

/// Set a rate from a day on.
///
/// The rate is valid from the first moment of `validFrom` in the organisation's time zone. For an
/// hour of work, the first of these rates that is valid at that time is used: the rate of the task
/// and the employee; of the task; of the project and the employee; of the project; of the employee;
/// of everything (an empty `scope`). The payroll of a project counts as rates of the project, or of
/// the project and an employee. Overtime without a rate of its own has the normal rate. Recorded
/// windows keep their rates, until `POST /api/v1/reprice` changes them. A repetition gets the
/// existing rate.
#[utoipa::path(
    post, path = "/api/v1/rate", tag = "Rates", security(("adminKey" = [])),
    request_body(content = SetRate, example = json!({
        "scope": {"project": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071"}, "kind": "bill", "amount": 62.5, "validFrom": "2026-02-01"
    })),
    responses(
        (status = 201, description = "Set.", body = DatedRate),
        (status = 400, description = "`unknown_project`, `unknown_employee`: there is none with this id. `unknown_task`: there is none, or it belongs to another project than is named with it."),
        (status = 409, description = "`rate_exists`: another amount of this kind holds for the scope from this day on."),
    ),
)]
pub(super) async fn set_rate(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(request): Body<SetRate>,
) -> Result<Response, Problem> {
    let rate: DatedRate = asker.ask(&app, request).await?;
    Ok(created(format!("/api/v1/rate/{}", rate.id), rate))
}

/// List rates with their history.
///
/// The list is in the order in which the rates were set. A filter selects rates whose scope
/// contains one of its ids; a project also selects the rates of its tasks. A manager sees the rates
/// for everybody and those of their team members.
#[utoipa::path(
    get, path = "/api/v1/rate", tag = "Rates", security(("adminKey" = [])),
    params(
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, max_items = 1_000, description = "For these employees: ids with commas between."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, max_items = 1_000, description = "For the employees of these teams."),
        ("projectId" = Option<HashSet<ProjectId>>, Query, style = Form, explode = false, max_items = 1_000, description = "For these projects and their tasks."),
        ("taskId" = Option<HashSet<TaskId>>, Query, style = Form, explode = false, max_items = 1_000, description = "For these tasks."),
        ("kind" = Option<RateKind>, Query, description = "Of this kind only."),
        Paging,
    ),
    responses((status = 200, description = "The rates.", body = Vec<DatedRate>)),
)]
pub(super) async fn list_rates(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let employees: Vec<EmployeeId> = teams::employees(&app, &asker, &params).await?;
    let kind: Option<RateKind> = params.get("kind", "must be bill, pay, overtimeBill or overtimePay")?;
    let list = ListRates {
        projects: params.ids("projectId")?,
        tasks: params.ids("taskId")?,
        employees,
        kinds: kind.into_iter().collect(),
        everywhere: false,
        after: None,
    };
    List { app, asker, listing, form: Form::Json }.answer(list, std::convert::identity).await
}

impl ListRequest for ListRates {
    type Item = DatedRate;
    type Place = RateId;

    fn after(&self, after: Option<RateId>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &DatedRate) -> RateId {
        item.id
    }
}

/// Get one rate.
#[utoipa::path(
    get, path = "/api/v1/rate/{id}", tag = "Rates", security(("adminKey" = [])),
    params(("id" = RateId, Path, description = "Which.")),
    responses((status = 200, description = "The rate.", body = DatedRate)),
)]
pub(super) async fn get_rate(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<RateId>,
) -> Result<Json<DatedRate>, Problem> {
    Ok(Json(asker.ask(&app, GetRate { id }).await?))
}

/// Delete a rate whose first day has not come yet.
#[utoipa::path(
    delete, path = "/api/v1/rate/{id}", tag = "Rates", security(("adminKey" = [])),
    params(("id" = RateId, Path, description = "Which.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "`rate_has_begun`: it holds already, so hours may be priced by it."),
    ),
)]
pub(super) async fn delete_rate(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<RateId>,
) -> Result<StatusCode, Problem> {
    let timezone = app.organisation.settings().await.timezone.clone();
    asker.ask(&app, DeleteRate { id, timezone }).await?;
    Ok(StatusCode::NO_CONTENT)
}
