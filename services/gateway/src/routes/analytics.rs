use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use contracts::{EmployeeId, GetProjectTime, GetTaskTime, GetTime, Grouping, TaskId, TaskTime, TimeCursor, TimeRow};

use super::{
    audit::record_export,
    form::{Form, Table},
    list::{List, ListRequest},
    named::{NamedProjectTime, NamedTimeRow, ids_in, with_names},
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

/// The `Content-Disposition` of the CSV of [`time`], which names the file for browsers.
const DISPOSITION: &str = "attachment; filename=\"time.csv\"";

/// Time and money by project.
///
/// Of each window, only the part in the range counts. Money is rounded to cents once, at the end.
/// Adjustments are not included: `GET /api/v1/adjustment` lists them. The response is JSON, or a
/// table with `Accept: text/csv`.
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
    let asked = asker.ask(&app, request);
    let (projects, known) = app.names.beside(&listing.question(), asked, |projects| ids_in(projects)).await?;
    Ok(form.answer(with_names(projects, &known).into_iter())?)
}

/// Time and money, grouped.
///
/// Each row has the values that it is grouped by, and the sums of what lies in the range: a window
/// across the beginning or end of the range, or of a group, is split there. An employee gets their
/// own time. The response is JSON; a table with `Accept: text/csv`; or a spreadsheet file with
/// `Accept: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`, with real dates,
/// hours as `[h]:mm`, and the sums, exact to the millisecond and rounded to cents once.
///
/// Work counts at the time when it was done, and settled time never changes: the sums of an
/// employee over a pay period equal those of the period itself. Therefore no sum here includes
/// adjustments, which are windows that arrived after their own time was settled and were admitted
/// later. Adjustments count separately, in the pay period that was not settled then:
/// `GET /api/v1/adjustment` lists them, with the time when the work was done.
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

/// Answers with time and money as CSV, for a page of the console.
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

/// The columns of the CSV: the values that rows are grouped by, in the order of sorting; the sums;
/// then the names of those values that are ids.
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

/// The time that an employee has worked on a task, since the beginning.
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
