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
/// The time limit for an update of many windows.
const UPDATE_PATIENCE: Duration = Duration::from_secs(600);

/// A window that is not recorded, or not recorded yet.
#[derive(Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(super) enum Unrecorded {
    /// The window is accepted. It will soon be recorded or rejected, unless `code` says why it is
    /// held back.
    Queued {
        /// The id of the window.
        id: WindowId,
        /// The reason why the window is held back, as a code for programs.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, example = "clock_ahead")]
        code: Option<Code>,
        /// The reason and what happens next, as sentences for people.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// A rule does not allow to record the window.
    Rejected {
        /// The id of the window.
        id: WindowId,
        /// The reason, as a code for programs.
        #[schema(value_type = String, example = "not_on_project")]
        code: Code,
        /// The reason and what happens next, as sentences for people.
        #[schema(example = "You were not on this project at the time. It is kept: an admin can admit or discard it.")]
        detail: String,
    },
}

/// The state of a window.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum WindowSeen {
    /// The window is recorded.
    Recorded(Box<Window>),
    /// The window is not recorded.
    Unrecorded(Unrecorded),
}

/// Record a window of time.
///
/// If no response arrives, send the window again: it is recorded only once. An employee may record
/// a window if they were on the project and the task at any moment of the window.
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

/// Checks the range of a window, and makes the item for the stream INGEST. A window without an id
/// gets one that is computed from its content.
pub(super) fn item(employee_id: EmployeeId, received_at: Millis, window: WindowSent) -> Result<IngestItem, Failure> {
    window.range().map_err(|error| Failure::fields(vec![error]))?;
    let made = || window_id(employee_id, &window.hwid, window.start, window.end, window.task_id);
    let id = window.id.unwrap_or_else(made);
    let (hash, traceparent) = (content_hash(&window), kit::traceparent());
    Ok(IngestItem { id, employee_id, received_at, hash, window, traceparent })
}

/// What the request waits for, by its header `Prefer`.
pub(super) fn until(headers: &HeaderMap) -> Until {
    if prefers_async(headers) { Until::Safe } else { Until::Settled }
}

/// The header `Preference-Applied`, if the response is 202 because the caller preferred not to
/// wait.
pub(super) fn applied(status: StatusCode, headers: &HeaderMap) -> Option<[(&'static str, &'static str); 1]> {
    (status == StatusCode::ACCEPTED && prefers_async(headers)).then_some([(APPLIED, RESPOND_ASYNC)])
}

/// A response with the window, in exactly the JSON text that the worker sent.
fn recorded(status: StatusCode, window: &RawValue) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], window.get().to_owned()).into_response()
}

fn queued(id: WindowId, seq: u64, aside: Option<Failure>) -> Response {
    let (code, detail) = aside.map(|why| (why.code, why.detail)).unzip();
    let queued = Json(Unrecorded::Queued { id, code, detail });
    (StatusCode::ACCEPTED, [(header::LOCATION, location(id, seq))], queued).into_response()
}

/// The path at which the state of a queued window can be requested.
pub(super) fn location(id: WindowId, seq: u64) -> String {
    format!("/api/v1/time-entries/{id}?seq={seq}")
}

/// The result of an update of many windows.
#[derive(Serialize, ToSchema)]
pub(super) struct Updated {
    /// The result as a sentence for people.
    #[schema(example = "12 windows were changed.")]
    message: String,
    /// The number of windows that were changed.
    #[schema(example = 12)]
    modified_count: u64,
}

/// Change recorded windows.
///
/// Changes the windows that pass all given filters: a window must be of one of these employees, on
/// one of these projects, and so on. A window is changed as a whole or not at all. With `start` or
/// `end`, a window must *begin* in [`start`, `end`). So of several adjoining ranges, each window
/// belongs to only one, and no window is changed twice.
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
    // An empty parameter is refused. If it counted as no filter, a mistake in a script could change
    // the windows of everybody.
    let named = ["employeeId", "teamId", "projectId", "taskId", "shiftId", "start", "end"];
    if let Some(name) = named.into_iter().find(|name| params.is_empty(name)) {
        return Err(Failure::field(name, "must say something, or be left out").into());
    }
    let Filter { mut employees, projects, tasks, shifts } = teams::filter(&app, &asker, &params).await?;
    // A manager who is a member of the given team is left out, because managers may not change
    // their own windows.
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

/// Get the state of a window.
///
/// An employee sees only their own windows. With the `seq` from the `Location` of a 202, the
/// response always has the state of the window. Without `seq`, an unknown id gets 503 while windows
/// are in the queue, because its window may be one of them.
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

/// Makes the response for the state of a window in a reply of timetrack.
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
