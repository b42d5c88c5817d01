use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    Actor, Cents, CreatePayRun, Failure, GetPayRun, ListPaidPeriods, ListPayRuns, Millis, PaidPeriod, PayRun, PayRunId,
    ShownActor,
};
use futures::try_join;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    actors::{HasActor, name_actors},
    audit::record_export,
    created::created,
    form::{Form, Table},
    list::{List, ListRequest},
    named::{NamedPaidPeriod, named},
    pay_run_sheet,
};
use crate::{
    App,
    auth::{Admin, Asker},
    error::Problem,
    extract::{Body, Listing, Paging, PathId},
    sheet::SheetFile,
};

/// The time limit for making a pay run, which marks all its windows as paid.
pub(crate) const PAY_RUN_PATIENCE: Duration = Duration::from_secs(55);
/// The columns of a pay run as CSV.
const COLUMNS: [&str; 11] = [
    "id",
    "employeeId",
    "start",
    "end",
    "time",
    "costs",
    "income",
    "adjustmentTime",
    "adjustmentCosts",
    "adjustmentIncome",
    "employeeName",
];

/// A pay run: approved periods that are paid together. Its sums never change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PayRun)]
pub(super) struct ShownPayRun {
    /// The id of the pay run.
    id: PayRunId,
    /// The beginning of the range. The run pays periods that lie between `start` and `end`.
    start: Millis,
    /// The end of the range: the first moment that no longer belongs to it.
    end: Millis,
    /// When the run was made.
    created_at: Millis,
    /// Who made the run.
    created_by: Option<ShownActor>,
    /// The number of periods that the run pays.
    #[schema(example = 12)]
    period_count: u64,
    /// The time of all periods in the run, in milliseconds.
    #[schema(example = 6_912_000_000i64)]
    time: i64,
    /// The cost of all periods in the run.
    costs: Cents,
    /// The income of all periods in the run.
    income: Cents,
    /// The time of adjustments in these periods, in milliseconds. It is not part of `time`.
    #[schema(example = 3_600_000)]
    adjustment_time: i64,
    /// The cost of these adjustments. It is not part of `costs`.
    adjustment_costs: Cents,
    /// The income of these adjustments. It is not part of `income`.
    adjustment_income: Cents,
}

impl From<PayRun> for ShownPayRun {
    fn from(run: PayRun) -> Self {
        let created_by = run.created_by.and_then(|actor| actor.parse::<Actor>().ok());
        Self {
            id: run.id,
            start: run.start,
            end: run.end,
            created_at: run.created_at,
            created_by: created_by.map(ShownActor::from),
            period_count: run.period_count,
            time: run.time,
            costs: run.costs,
            income: run.income,
            adjustment_time: run.adjustment_time,
            adjustment_costs: run.adjustment_costs,
            adjustment_income: run.adjustment_income,
        }
    }
}

impl HasActor for ShownPayRun {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.created_by.as_mut()
    }
}

/// A pay run together with its periods.
#[derive(Serialize, ToSchema)]
#[schema(as = WholePayRun)]
pub(super) struct WholePayRun {
    #[serde(flatten)]
    run: ShownPayRun,
    /// The periods that the run pays, as they were approved.
    periods: Vec<NamedPaidPeriod>,
}

async fn shown(app: &App, run: PayRun) -> ShownPayRun {
    let mut runs = [ShownPayRun::from(run)];
    name_actors(&app.names, &mut runs).await;
    let [run] = runs;
    run
}

/// Requests a pay run and its periods, which are ordered by employee.
pub(crate) async fn whole_pay_run(
    app: &App,
    asker: &Asker,
    id: PayRunId,
) -> Result<(PayRun, Vec<PaidPeriod>), Failure> {
    try_join!(asker.ask(app, GetPayRun { id }), paid_periods(app, asker, id))
}

async fn paid_periods(app: &App, asker: &Asker, run: PayRunId) -> Result<Vec<PaidPeriod>, Failure> {
    kit::all_pages(|after| asker.ask(app, ListPaidPeriods { run, after })).await
}

/// Pay all approved periods that lie between two moments and that no run has paid yet.
///
/// The sums of the run are those with which the periods were approved, and the windows of the
/// periods are marked as `paid`. A repetition, or a concurrent request, gets the same run. A period
/// that is approved later is paid by the next run.
#[utoipa::path(
    post, path = "/api/v1/pay-run", tag = "Periods", security(("adminKey" = [])),
    request_body(content = CreatePayRun, example = json!({"start": 1_759_276_800_000i64, "end": 1_761_955_200_000i64})),
    responses(
        (status = 201, description = "Made.", body = ShownPayRun),
        (status = 200, description = "It was made before, and there is nothing more to pay.", body = ShownPayRun),
        (status = 403, description = "`forbidden`: a manager asks."),
        (status = 409, description = "`period_not_approved`: no period that lies between these moments is approved."),
    ),
)]
pub(super) async fn create_pay_run(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(request): Body<CreatePayRun>,
) -> Result<Response, Problem> {
    let made = asker.ask_within(&app, PAY_RUN_PATIENCE, request).await?;
    let (location, run) = (format!("/api/v1/pay-run/{}", made.run.id), shown(&app, made.run).await);
    Ok(if made.is_new { created(location, run) } else { (StatusCode::OK, Json(run)).into_response() })
}

/// List all pay runs, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/pay-run", tag = "Periods", security(("adminKey" = [])),
    params(Paging),
    responses((status = 200, description = "The runs.", body = Vec<ShownPayRun>)),
)]
pub(super) async fn list_pay_runs(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    listing: Listing,
) -> Result<Response, Problem> {
    let list = List { app, asker, listing, form: Form::Json };
    list.answer_with_actors::<_, ShownPayRun>(ListPayRuns { after: None }).await
}

impl ListRequest for ListPayRuns {
    type Item = PayRun;
    type Place = PayRunId;

    fn after(&self, after: Option<PayRunId>) -> Self {
        Self { after }
    }

    fn place(&self, item: &PayRun) -> PayRunId {
        item.id
    }
}

/// Get one pay run with its periods.
///
/// The response is JSON; a table with `Accept: text/csv`; or a spreadsheet file (XLSX). Each row of
/// a table is a period.
#[utoipa::path(
    get, path = "/api/v1/pay-run/{id}", tag = "Periods", security(("adminKey" = [])),
    params(("id" = PayRunId, Path, description = "Which.")),
    responses((status = 200, description = "The run.", content(
        (WholePayRun = "application/json"),
        (String = "text/csv", example = "id,employeeId,start,end,time,costs,income,adjustmentTime,adjustmentCosts,adjustmentIncome,employeeName\r\n0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072_2025-10-01,0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072,1759276800000,1761955200000,576000000,4800.0,8000.0,0,0.0,0.0,Ann Example\r\n"),
        (SheetFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ))),
)]
pub(super) async fn get_pay_run(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    PathId(id): PathId<PayRunId>,
    listing: Listing,
) -> Result<Response, Problem> {
    if listing.wants_xlsx {
        return pay_run_as_xlsx(&app, &asker, id).await;
    }
    answer(&app, &asker, id, Form::wanted(&listing, table())).await
}

/// Answers with a pay run as a spreadsheet file (XLSX).
pub(crate) async fn pay_run_as_xlsx(app: &App, asker: &Asker, id: PayRunId) -> Result<Response, Problem> {
    let (run, periods) = whole_pay_run(app, asker, id).await?;
    pay_run_sheet::answered(app, &run, &periods).await
}

/// Answers with a pay run as CSV, for a page of the console.
pub(crate) async fn pay_run_as_csv(app: &App, asker: &Asker, id: PayRunId) -> Result<Response, Problem> {
    answer(app, asker, id, Form::Csv(table())).await
}

/// Answers with a pay run as JSON, for a page of the console that offers it as a file.
pub(crate) async fn pay_run_as_json(app: &App, asker: &Asker, id: PayRunId) -> Result<Response, Problem> {
    let file = [(header::CONTENT_DISPOSITION, "attachment; filename=\"pay-run.json\"")];
    Ok((file, answer(app, asker, id, Form::Json).await?).into_response())
}

fn table() -> Table {
    Table { disposition: "attachment; filename=\"pay-run.csv\"", columns: COLUMNS.into() }
}

async fn answer(app: &App, asker: &Asker, id: PayRunId, form: Form) -> Result<Response, Problem> {
    let (run, periods) = whole_pay_run(app, asker, id).await?;
    let periods = named(&app.names, periods).await;
    record_export(app, &form, "pay-run").await?;
    if matches!(form, Form::Csv(_)) {
        return Ok(form.answer(periods.into_iter())?);
    }
    let whole = WholePayRun { run: shown(app, run).await, periods };
    Ok((form.headers(), Json(whole)).into_response())
}
