use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    Code, EmployeeId, Failure, Filter, GetWindow, IngestItem, Millis, Outcome, ProjectId, Tag, TaskId, TeamId,
    UpdateWindows, Window, WindowChanges, WindowId, WindowSent, WindowState, content_hash, window_id,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    App,
    auth::{Admin, AdminOrEmployee, EmployeeCaller},
    error::Problem,
    etags::{Changeable, Seen},
    extract::{APPLIED, Body, Params, PathId, RESPOND_ASYNC, ShiftId, prefers_async},
    ingest::{Submitted, Until},
    teams,
};

/// The largest body with one window, in bytes.
const WINDOW_BYTES: usize = 64 * 1024;
/// How long an update of many windows may take.
const UPDATE_PATIENCE: Duration = Duration::from_secs(600);

/// A window that is not recorded, or not yet.
#[derive(Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(super) enum Unrecorded {
    /// Accepted, and soon recorded or rejected; or held back, with the reason.
    Queued {
        /// The id of the window.
        id: WindowId,
        /// Why it is held back, as a code for programs.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, example = "clock_ahead")]
        code: Option<Code>,
        /// Why, and what happens next, as sentences.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// It may not be recorded.
    Rejected {
        /// The id of the window.
        id: WindowId,
        /// Why, as a word.
        #[schema(value_type = String, example = "not_on_project")]
        code: Code,
        /// Why, and what happens next, as sentences.
        #[schema(example = "You were not on this project at the time. It is kept: an admin can admit or discard it.")]
        detail: String,
    },
}

/// The state of a window.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum WindowSeen {
    /// It is recorded.
    Recorded(Box<Window>),
    /// It is not recorded.
    Unrecorded(Unrecorded),
}

/// Record a window of time.
///
/// If you do not get an answer, send it again: it is recorded once. An employee may record a window if they were
/// on the project and task at any moment of it.
#[utoipa::path(
    post, path = "/api/v1/time-entries", tag = "Time", security(("employeeToken" = [])),
    params(("Prefer" = Option<String>, Header, description = "`respond-async`: 202 as soon as the window is safe.", example = "respond-async")),
    request_body = WindowSent,
    responses(
        (status = 201, description = "Recorded.", body = Window),
        (status = 200, description = "It was recorded before, the very same.", body = Window),
        (status = 202, description = "Safe, but not yet recorded: `Location` tells what becomes of it. With `code` it is held back: `clock_ahead` (it ends more than 5 minutes ahead of the server's clock, and is recorded by itself once its time has come), `clock_behind` (it began before `EARLIEST_WINDOW`, and an admin admits or discards it).", body = Unrecorded,
         headers(("Location" = String, description = "Where to ask."))),
        (status = 400, description = "`not_on_project`, `not_on_task`, `unknown_project`, `unknown_task`, `project_archived`, `employee_deactivated`: it may not be recorded."),
        (status = 409, description = "`conflict`: the id belongs to other content."),
        (status = 429, description = "`too_many_requests`: come again in `Retry-After` seconds, and keep the window until then."),
    ),
)]
pub(super) async fn record_window(
    State(app): State<Arc<App>>,
    EmployeeCaller(employee_id): EmployeeCaller,
    headers: HeaderMap,
    Body(window): Body<WindowSent, WINDOW_BYTES>,
) -> Result<Response, Problem> {
    let item = item(employee_id, app.clock.now(), window)?;
    let id = item.id;
    let submitted = app.ingest.submit(vec![item], until(&headers)).await.pop();
    let nothing = || Err(Failure::new(Code::Internal, "Something went wrong on our side."));
    let Submitted { seq, outcome, aside } = submitted.unwrap_or_else(nothing)?;
    Ok(match outcome {
        Outcome::Stored(window) => {
            ([(header::LOCATION, format!("/api/v1/time-entries/{id}"))], recorded(StatusCode::CREATED, &window))
                .into_response()
        }
        Outcome::Duplicate(window) => recorded(StatusCode::OK, &window),
        Outcome::Conflict => {
            let detail = "This id belongs to another window. Send this one with an id of its own.";
            return Err(Problem::new(Code::Conflict, detail));
        }
        Outcome::Rejected { code, detail } => return Err(Problem::new(code, detail)),
        Outcome::Queued => (applied(StatusCode::ACCEPTED, &headers), queued(id, seq, aside)).into_response(),
    })
}

/// A window for the queue, if it is within the limits.
pub(super) fn item(employee_id: EmployeeId, received_at: Millis, window: WindowSent) -> Result<IngestItem, Failure> {
    window.range().map_err(|error| Failure::fields(vec![error]))?;
    let made = || window_id(employee_id, &window.hwid, window.start, window.end, window.task_id);
    let id = window.id.unwrap_or_else(made);
    let (hash, traceparent) = (content_hash(&window), kit::traceparent());
    Ok(IngestItem { id, employee_id, received_at, hash, window, traceparent })
}

/// What the caller wants to wait for, by the header `Prefer`.
pub(super) fn until(headers: &HeaderMap) -> Until {
    if prefers_async(headers) { Until::Safe } else { Until::Settled }
}

/// The header that confirms the wish.
pub(super) fn applied(status: StatusCode, headers: &HeaderMap) -> Option<[(&'static str, &'static str); 1]> {
    (status == StatusCode::ACCEPTED && prefers_async(headers)).then_some([(APPLIED, RESPOND_ASYNC)])
}

/// The window exactly as the worker has written it.
fn recorded(status: StatusCode, window: &RawValue) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], window.get().to_owned()).into_response()
}

fn queued(id: WindowId, seq: u64, aside: Option<Failure>) -> Response {
    let (code, detail) = aside.map(|why| (why.code, why.detail)).unzip();
    let queued = Json(Unrecorded::Queued { id, code, detail });
    (StatusCode::ACCEPTED, [(header::LOCATION, location(id, seq))], queued).into_response()
}

/// Where to ask for the state of a window.
pub(super) fn location(id: WindowId, seq: u64) -> String {
    format!("/api/v1/time-entries/{id}?seq={seq}")
}

/// The result of an update.
#[derive(Serialize, ToSchema)]
pub(super) struct Updated {
    /// The result as a sentence.
    #[schema(example = "12 windows were changed.")]
    message: String,
    /// The number of changed windows.
    #[schema(example = 12)]
    modified_count: u64,
}

/// Change recorded windows.
///
/// Changes the windows that pass all given filters: a window must be of one of these employees, on one of these
/// projects, and so on. With `start` or `end`, it must *begin* in [`start`, `end`): a window is changed as a whole
/// or not at all, and of adjoining ranges each window belongs to one, so that nothing is marked twice.
#[utoipa::path(
    put, path = "/api/v1/time-entries/update", tag = "Time", security(("adminKey" = [])),
    params(
        ("employeeId" = Option<HashSet<EmployeeId>>, Query, style = Form, explode = false, min_items = 1, max_items = 1_000, description = "Of these employees only: ids with commas between. This, `teamId`, `projectId`, `taskId` or `shiftId` must be given."),
        ("teamId" = Option<HashSet<TeamId>>, Query, style = Form, explode = false, min_items = 1, max_items = 1_000, description = "Of the employees of these teams only; a manager changes nothing of their own."),
        ("projectId" = Option<HashSet<ProjectId>>, Query, style = Form, explode = false, min_items = 1, max_items = 1_000, description = "On these projects only."),
        ("taskId" = Option<HashSet<TaskId>>, Query, style = Form, explode = false, min_items = 1, max_items = 1_000, description = "On these tasks only."),
        ("shiftId" = Option<HashSet<ShiftId>>, Query, style = Form, explode = false, min_items = 1, max_items = 1_000, description = "In these shifts only."),
        ("start" = Option<i64>, Query, description = "Only windows that begin then or later, in milliseconds since 1970 UTC.", example = 1_760_000_000_000i64),
        ("end" = Option<i64>, Query, description = "Only windows that begin before.", example = 1_760_086_400_000i64),
    ),
    request_body(content = WindowChanges, example = json!({"paid": true})),
    responses(
        (status = 200, description = "Changed.", body = Updated),
        (status = 400, description = "`no_filter`: none of `employeeId`, `teamId`, `projectId`, `taskId` and `shiftId` is given. `nothing_to_change`: the body names no field."),
    ),
)]
pub(super) async fn update_windows(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    params: Params,
    Body(changes): Body<WindowChanges>,
) -> Result<Json<Updated>, Problem> {
    // An update without a filter is more likely a mistake than intended for everybody's windows.
    let named = ["employeeId", "teamId", "projectId", "taskId", "shiftId", "start", "end"];
    if let Some(name) = named.into_iter().find(|name| params.is_empty(name)) {
        return Err(Failure::field(name, "must say something, or be left out").into());
    }
    let Filter { mut employees, projects, tasks, shifts } = teams::filter(&app, &asker, &params).await?;
    // A manager who is in the named team means the others.
    if !params.has("employeeId") {
        employees = asker.decides_about(employees);
    }
    let request = UpdateWindows { employees, projects, tasks, shifts, begin: params.open_range()?, changes };
    if !request.names_something() {
        let detail = "Name employees (`employeeId`), teams (`teamId`), projects (`projectId`), tasks (`taskId`) or shifts (`shiftId`).";
        return Err(Problem::new(Code::NoFilter, detail));
    }
    if request.changes == WindowChanges::default() {
        return Err(Problem::new(Code::NothingToChange, "The body names nothing to change."));
    }
    let modified_count = asker.ask_within(&app, UPDATE_PATIENCE, request).await?.modified;
    let message = match modified_count {
        1 => "1 window was changed.".to_owned(),
        count => format!("{count} windows were changed."),
    };
    Ok(Json(Updated { message, modified_count }))
}

/// The state of a window.
///
/// An employee sees only their own. With the `seq` from the `Location` of a 202, the answer is always one of
/// these. Without it, an unknown id gets 503 while windows are in the queue.
#[utoipa::path(
    get, path = "/api/v1/time-entries/{id}", tag = "Time", security(("adminKey" = []), ("employeeToken" = [])),
    params(
        ("id" = WindowId, Path, description = "Which."),
        ("seq" = Option<i64>, Query, minimum = 0, description = "Its place in the queue, as the 202 named it."),
    ),
    responses((status = 200, description = "Recorded, queued or rejected.", body = WindowSeen)),
)]
pub(super) async fn get_window(
    State(app): State<Arc<App>>,
    AdminOrEmployee(asker): AdminOrEmployee,
    PathId(id): PathId<WindowId>,
    params: Params,
) -> Result<Seen<WindowSeen>, Problem> {
    let seq = params.whole("seq", "must be a whole number, as the 202 named it")?;
    Ok(Seen(seen(id, asker.ask(&app, GetWindow { id, seq, set_aside: true }).await?)))
}

impl Changeable for WindowSeen {
    fn parts(&self) -> Vec<Tag> {
        match self {
            Self::Recorded(window) => vec![window.tag()],
            Self::Unrecorded(_) => Vec::new(),
        }
    }
}

/// The state as a caller sees it.
pub(super) fn seen(id: WindowId, state: WindowState) -> WindowSeen {
    match state {
        WindowState::Recorded(window) => WindowSeen::Recorded(window),
        WindowState::Queued => WindowSeen::Unrecorded(Unrecorded::Queued { id, code: None, detail: None }),
        WindowState::SetAside { code, detail } => {
            WindowSeen::Unrecorded(Unrecorded::Queued { id, code: Some(code), detail: Some(detail) })
        }
        WindowState::Rejected { code, detail } => WindowSeen::Unrecorded(Unrecorded::Rejected { id, code, detail }),
    }
}
