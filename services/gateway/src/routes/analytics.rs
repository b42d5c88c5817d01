use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use contracts::{EmployeeId, GetProjectTime, GetTaskTime, GetTime, Grouping, TaskId, TaskTime, TimeCursor, TimeRow};

use super::{
    audit::record_export,
    form::{Form, Table},
    list::{List, ListRequest},
    named::{NamedProjectTime, NamedTimeRow, named},
    time_sheet::time_as_xlsx,
};
use crate::{
    App,
    auth::{Admin, AdminOrEmployee, Asker},
    error::Problem,
    extract::{Asked, Listing, Paging, Params},
    sheet::SheetFile,
    teams,
};

/// How a browser keeps the table of [`time`].
const DISPOSITION: &str = "attachment; filename=\"time.csv\"";

/// Time and money by project.
///
/// Only the part of each window that lies in the range counts; money is rounded to cents once, at
/// the end. Adjustments are no part of it: `GET /api/v1/adjustment` lists them. As JSON, or as a table
/// with `Accept: text/csv`.
#[utoipa::path(
    get, path = "/api/v1/analytics/project-time", tag = "Analytics", security(("adminKey" = [])),
    params(
        Asked,
        ("timezone" = Option<String>, Query, description = "A zone of the IANA database. It changes nothing here: only instants count.", example = "Europe/Berlin"),
    ),
    responses((status = 200, description = "Each project with time in the range.", content(
        (Vec<NamedProjectTime> = "application/json"),
        (String = "text/csv", example = "id,time,costs,income,projectName\r\n0198c6f2-7f00-7a31-9c5e-3b1d2a4f6071,3600000,30.0,50.0,Website\r\n"),
    ))),
)]
pub(super) async fn project_time(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    params.zone()?;
    let request = GetProjectTime { range: params.range()?, filter: teams::filter(&app, &asker, &params).await? };
    let columns = vec!["id", "time", "costs", "income", "projectName"];
    let form = Form::wanted(&listing, Table { disposition: "attachment; filename=\"project-time.csv\"", columns });
    record_export(&app, &form, "project-time").await?;
    let projects = asker.ask(&app, request).await?;
    Ok(form.answer(named(&app.names, projects).await.into_iter())?)
}

/// Time and money, grouped.
///
/// Each row has the keys that were grouped by, and what lies in the range: a window across an edge
/// is split there. An employee gets their own. As JSON; as a table with `Accept: text/csv`; or as a
/// spreadsheet file with `Accept: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`:
/// real dates, hours as `[h]:mm`, and the sums, exact to the millisecond and rounded to cents once.
///
/// Work counts when it was done, and what is settled never changes: an employee's sums over a pay period
/// are those that the period says. So hours that came when their time was settled, and were admitted
/// afterwards, are no part of any sum here. They count, beside these sums, in the period that was open
/// then: `GET /api/v1/adjustment` lists them, with where they belong.
#[utoipa::path(
    get, path = "/api/v1/analytics/time", tag = "Analytics", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        Asked,
        ("groupBy" = HashSet<Grouping>, Query, style = Form, explode = false, min_items = 1, description = "One or more of `project`, `task`, `employee`, `day`, `week` (the date of its Monday) and `month`, with commas between.", example = json!(["employee", "week"])),
        ("timezone" = Option<String>, Query, description = "Where days, weeks and months begin: a zone of the IANA database; UTC where none is named.", example = "Europe/Berlin"),
        Paging,
    ),
    responses(
        (status = 200, description = "Each group with time in the range.", content(
            (Vec<NamedTimeRow> = "application/json", example = json!([{
                "week": "2026-02-23", "employee": "0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072", "time": 3_600_000, "costs": 30.0, "income": 50.0,
                "employeeName": "Ann Example"
            }])),
            (String = "text/csv", example = "week,employee,time,costs,income,employeeName\r\n2026-02-23,0198c6f2-7f00-7a31-9c5e-3b1d2a4f6072,3600000,30.0,50.0,Ann Example\r\n"),
            (SheetFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 403, description = "`forbidden`: an id in employeeId is another employee's."),
    ),
)]
pub(super) async fn time(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    params: Params,
    listing: Listing,
) -> Result<Response, Problem> {
    let mut request = GetTime {
        range: params.range()?,
        group_by: params.group_by()?,
        timezone: params.zone()?,
        filter: teams::filter(&app, &asker, &params).await?,
        after: None,
    };
    if let Some(own) = asker.own() {
        request.filter.employees = vec![own];
    }
    if listing.wants_xlsx {
        return time_as_xlsx(app, asker, request, listing).await;
    }
    let columns = columns(&request);
    let form = Form::wanted(&listing, Table { disposition: DISPOSITION, columns });
    record_export(&app, &form, "time").await?;
    List { app, asker, listing, form }.answer_named(request).await
}

/// Time and money as a table for spreadsheets, for a page.
pub(crate) async fn time_as_csv(
    app: Arc<App>,
    asker: Asker,
    request: GetTime,
    listing: Listing,
) -> Result<Response, Problem> {
    let form = Form::Csv(Table { disposition: DISPOSITION, columns: columns(&request) });
    record_export(&app, &form, "time").await?;
    List { app, asker, listing, form }.answer_named(request).await
}

/// The keys of the rows, in the order in which they are sorted, their sums, and then the names of
/// the keys that are ids.
fn columns(request: &GetTime) -> Vec<&'static str> {
    let keys = [
        (Grouping::Day, "day"),
        (Grouping::Week, "week"),
        (Grouping::Month, "month"),
        (Grouping::Project, "project"),
        (Grouping::Task, "task"),
        (Grouping::Employee, "employee"),
    ];
    let names =
        [(Grouping::Project, "projectName"), (Grouping::Task, "taskName"), (Grouping::Employee, "employeeName")];
    let wanted = |(key, name)| request.group_by.contains(&key).then_some(name);
    let sums = ["time", "costs", "income"];
    keys.into_iter().filter_map(wanted).chain(sums).chain(names.into_iter().filter_map(wanted)).collect()
}

impl ListRequest for GetTime {
    type Item = TimeRow;
    type Place = TimeCursor;

    fn after(&self, after: Option<TimeCursor>) -> Self {
        Self { after, ..self.clone() }
    }

    fn place(&self, item: &TimeRow) -> TimeCursor {
        Self::place(self, item)
    }
}

/// How long an employee has worked on a task, ever.
#[utoipa::path(
    get, path = "/api/v1/analytics/task-time", tag = "Analytics", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        ("employeeId" = EmployeeId, Query, description = "Who; an employee asks for themselves only."),
        ("taskId" = TaskId, Query, description = "On what."),
    ),
    responses(
        (status = 200, description = "The time.", body = TaskTime),
        (status = 403, description = "`forbidden`: the id is another employee's."),
    ),
)]
pub(super) async fn task_time(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    params: Params,
) -> Result<Json<TaskTime>, Problem> {
    let employee_id: EmployeeId = params.required("employeeId", "must be the id (a UUID) of an employee")?;
    let task_id = params.required("taskId", "must be the id (a UUID) of a task")?;
    asker.require_sight_of(&[employee_id], &[])?;
    Ok(Json(asker.ask(&app, GetTaskTime { employee_id, task_id }).await?))
}
