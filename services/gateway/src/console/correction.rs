//! The page on which an employee requests a correction of their own time: to add time, to change a
//! window, or to void a window.

use axum::response::Response;
use contracts::{
    AskCorrection, Code, CorrectionRequest, CorrectionSent, CorrectionStatus, Failure, GetWindow, ListCorrections,
    ListTasks, Millis, Note, ProjectId, Task, TaskId, Window, WindowId, WindowState,
};
use futures::try_join;
use jiff::civil::{Date, DateTime};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    forms::{Field, alert, choice, field, said},
    inputs, lanes,
    notice::{Done, notice},
    places,
    visitor::Visitor,
    window::{local, moment},
};
use crate::{
    extract::{Form, Params},
    names::{Ids, KnownNames},
};

/// The largest number of tasks that the form offers.
const TASKS: usize = 2_000;
/// The number of the visitor's latest corrections that are shown.
const SHOWN: usize = 20;

/// The form of a correction.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    /// The window to change or void; `None` to add time.
    window: Option<WindowId>,
    start: Option<String>,
    end: Option<String>,
    /// The project and the task, separated by a slash.
    work: Option<String>,
    note: Option<String>,
    reason: Option<String>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let window = match params.get("window", "must be the id of a window") {
        Ok(window) => window,
        Err(failure) => return visitor.failed(&failure),
    };
    let content = content(&visitor, &params, window, None, None).await;
    visitor.page(&places::ASK, content)
}

/// Requests the correction in the form.
pub(super) async fn ask(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Response {
    let asked = read(&visitor, &filled).await;
    after(&visitor, &params, &filled, asked).await
}

/// Requests that a window is voided, so that it no longer counts.
pub(super) async fn ask_void(visitor: Visitor, params: Params, Form(filled): Form<Filled>) -> Response {
    let asked = reason(&filled).map(|reason| CorrectionSent { void: true, ..about(filled.window, reason) });
    after(&visitor, &params, &filled, asked).await
}

async fn after(
    visitor: &Visitor,
    params: &Params,
    filled: &Filled,
    asked: Result<CorrectionSent, Failure>,
) -> Response {
    let taken = visitor.submit(asked.map(|asked| AskCorrection { id: asked.id(visitor.employee), asked })).await;
    match taken {
        Ok(taken) => {
            let (day, done) = (visitor.reader.day(taken.correction.start), Done::Asked.word());
            errors::see(&format!("{}?day={day}&done={done}", places::MY_DAY.path))
        }
        Err(failure) => {
            let content = content(visitor, params, filled.window, Some(filled), Some(&failure)).await;
            visitor.again(&places::ASK, &failure, content)
        }
    }
}

/// A correction without changes, of this window or, for `None`, of time to be added.
fn about(window_id: Option<WindowId>, reason: Note) -> CorrectionSent {
    let (start, end, project_id, task_id, note) = (None, None, None, None, None);
    CorrectionSent { id: None, window_id, void: false, start, end, project_id, task_id, note, reason }
}

fn reason(filled: &Filled) -> Result<Note, Failure> {
    let reason = inputs::note(inputs::text(&filled.reason)).map_err(|error| Failure::field("reason", error))?;
    reason.ok_or_else(|| Failure::field("reason", "must be given"))
}

/// Reads the form. The correction of a window has only the fields that were changed. A time that
/// was not changed keeps the window's milliseconds, which the form does not show.
async fn read(visitor: &Visitor, filled: &Filled) -> Result<CorrectionSent, Failure> {
    let window = match filled.window {
        Some(id) => Some(recorded(visitor, id).await?),
        None => None,
    };
    let reason = reason(filled)?;
    let moment = |name, typed: &Option<String>, stored: Option<Millis>| {
        let typed = inputs::text(typed).trim();
        let shown = stored.map(|stored| local(visitor, stored));
        if shown.is_some_and(|shown| typed == shown || format!("{typed}:00") == shown) {
            return Ok(None);
        }
        let misfit = || Failure::field(name, "must be a day and a time such as 2026-03-01T09:30");
        let local: DateTime = typed.parse().map_err(|_| misfit())?;
        Ok(Some(visitor.reader.at(local).ok_or_else(misfit)?))
    };
    let work = inputs::text(&filled.work).split_once('/');
    let work =
        work.and_then(|(project, task)| Some((project.parse::<ProjectId>().ok()?, task.parse::<TaskId>().ok()?)));
    let (project, task) = work.ok_or_else(|| Failure::field("work", "must be one of those"))?;
    let is_other = window.as_ref().is_none_or(|window| (window.project_id, window.task_id) != (project, task));
    let note = inputs::note(inputs::text(&filled.note)).map_err(|error| Failure::field("note", error))?;
    let stored = window.as_ref().and_then(|window| window.note.clone());
    Ok(CorrectionSent {
        start: moment("start", &filled.start, window.as_ref().map(|window| window.start))?,
        end: moment("end", &filled.end, window.as_ref().map(|window| window.end))?,
        project_id: is_other.then_some(project),
        task_id: is_other.then_some(task),
        note: (note != stored).then_some(note),
        ..about(filled.window, reason)
    })
}

async fn recorded(visitor: &Visitor, id: WindowId) -> Result<Window, Failure> {
    match visitor.ask(GetWindow { id, seq: None, set_aside: true }).await? {
        WindowState::Recorded(window) => Ok(*window),
        _ => Err(Failure::not_found("recorded window")),
    }
}

async fn content(
    visitor: &Visitor,
    params: &Params,
    window: Option<WindowId>,
    filled: Option<&Filled>,
    failure: Option<&Failure>,
) -> Result<Markup, Failure> {
    let window = async {
        match window {
            Some(id) => recorded(visitor, id).await.map(Some),
            None => Ok(None),
        }
    };
    let (window, (mut tasks, _)) = try_join!(window, visitor.first(ListTasks::default(), TASKS))?;
    tasks.retain(|task| task.employees.contains(&visitor.employee));
    let own = window.as_ref().map(|window| (window.project_id, window.task_id));
    let names = visitor
        .names(Ids {
            projects: tasks.iter().map(|task| task.project_id).chain(own.map(|(project, _)| project)).collect(),
            tasks: own.map(|(_, task)| task).into_iter().collect(),
            ..Ids::default()
        })
        .await;
    let reader = &visitor.reader;
    let day: Date =
        params.get("day", "must be a day such as 2026-03-01")?.unwrap_or(reader.day(visitor.app.clock.now()));
    Ok(html! {
        (notice(params))
        (alert(failure))
        p { "Somebody else decides about it, and you get a mail. Until then nothing changes." }
        @if let Some(window) = &window {
            section {
                p {
                    strong { (reader.moment(window.start)) " to " (reader.moment(window.end)) } ", "
                    (lanes::project(&names, window.project_id)) ", " (lanes::task(&names, window.task_id))
                }
                h2 { "It was otherwise" }
                (form(visitor, Some(window), day, &tasks, &names, filled, failure))
            }
            section { (voiding(visitor, window, filled, failure)) }
        } @else {
            section {
                h2 { "A time that is missing" }
                @if tasks.is_empty() { p.empty { "You are on no task at the moment. Ask whoever leads your project." } }
                @else { (form(visitor, None, day, &tasks, &names, filled, failure)) }
            }
        }
    })
}

fn form(
    visitor: &Visitor,
    window: Option<&Window>,
    day: Date,
    tasks: &[Task],
    names: &KnownNames,
    filled: Option<&Filled>,
    failure: Option<&Failure>,
) -> Markup {
    // The page has two forms. Submitted values without project and task are from the form that
    // voids the window, so they and their errors are not shown here.
    let filled = filled.filter(|filled| filled.work.is_some());
    let failure = failure.filter(|_| filled.is_some());
    let typed = |of: fn(&Filled) -> &Option<String>, stored: String| {
        filled.and_then(|filled| of(filled).clone()).unwrap_or(stored)
    };
    let word = |project: ProjectId, task: TaskId| format!("{project}/{task}");
    let name = |project, task: &str| format!("{}, {task}", lanes::project(names, project));
    let mut works: Vec<(String, String)> =
        tasks.iter().map(|task| (word(task.project_id, task.id), name(task.project_id, task.name.as_str()))).collect();
    let own = window.map(|window| word(window.project_id, window.task_id)).unwrap_or_default();
    if let Some(window) = window
        && works.iter().all(|(word, _)| *word != own)
    {
        works.push((own.clone(), name(window.project_id, lanes::task(names, window.task_id))));
    }
    works.sort_by_cached_key(|(_, name)| name.to_lowercase());
    let works: Vec<(&str, String)> = works.iter().map(|(word, name)| (word.as_str(), name.clone())).collect();
    let at = |of: fn(&Window) -> Millis, hour: i8| {
        window.map_or_else(|| day.at(hour, 0, 0, 0).strftime("%Y-%m-%dT%H:%M").to_string(), |w| local(visitor, of(w)))
    };
    let note = window.and_then(|window| window.note.as_ref()).map(ToString::to_string).unwrap_or_default();
    let input = |name, label, value: &str, error| {
        field(&Field { name, label, kind: "text", value, autocomplete: "off", error })
    };
    // Failures about the project or the task are shown next to the field that contains both.
    let of_work = failure.filter(|failure| is_of_work(failure.code)).map(|failure| failure.detail.as_str());
    let of_work = said(failure, "work").or(said(failure, "taskId")).or(said(failure, "projectId")).or(of_work);
    let of_time = |code| failure.filter(|failure| failure.code == code).map(|failure| failure.detail.as_str());
    let of_start = said(failure, "start").or(of_time(Code::ClockBehind));
    let of_end = said(failure, "end").or(of_time(Code::ClockAhead));
    html! {
        form method="post" action=(visitor.address(places::ASK.path)) {
            @if let Some(window) = window { input type="hidden" name="window" value=(window.id); }
            (moment("start", "From", &typed(|f| &f.start, at(|w| w.start, 9)), of_start))
            (moment("end", "To", &typed(|f| &f.end, at(|w| w.end, 17)), of_end))
            (choice("work", "Project and task", &works, &typed(|f| &f.work, own), of_work))
            (input("note", "What was done", &typed(|f| &f.note, note), said(failure, "note")))
            (input("reason", "Why it has to be corrected", &typed(|f| &f.reason, String::new()), said(failure, "reason")))
            p { button type="submit" { "Ask for it" } }
        }
    }
}

fn is_of_work(code: Code) -> bool {
    use Code::{EmployeeDeactivated, NotOnProject, NotOnTask, ProjectArchived, UnknownProject, UnknownTask};
    matches!(code, EmployeeDeactivated | NotOnProject | NotOnTask | ProjectArchived | UnknownProject | UnknownTask)
}

fn voiding(visitor: &Visitor, window: &Window, filled: Option<&Filled>, failure: Option<&Failure>) -> Markup {
    let own = filled.filter(|filled| filled.work.is_none());
    let error = own.and(said(failure, "reason"));
    let value = own.and_then(|filled| filled.reason.as_deref()).unwrap_or_default();
    html! {
        details open[own.is_some()] {
            summary { "It should not count at all…" }
            form method="post" action=(visitor.address(places::ASK_VOID.path)) {
                input type="hidden" name="window" value=(window.id);
                label for="void-reason" { "Why it should not count" }
                input #void-reason name="reason" type="text" value=(value) autocomplete="off"
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "void-error")];
                @if let Some(error) = error { p.error #void-error { (error) } }
                p { button.grave type="submit" { "Ask that it does not count" } }
            }
        }
    }
}

/// The visitor's latest correction requests.
pub(super) async fn asked_so_far(visitor: &Visitor) -> Result<Vec<CorrectionRequest>, Failure> {
    let own = ListCorrections { limit: Some(SHOWN), employee_id: Some(visitor.employee), ..ListCorrections::default() };
    let own = visitor.app.ask(contracts::Caller::Employee(visitor.employee), &own).await?;
    Ok(own.items)
}

/// The correction requests as a section of a page.
pub(super) fn listed(visitor: &Visitor, asked: &[CorrectionRequest], names: &KnownNames) -> Markup {
    html! {
        section {
            h2 { "Corrections that you have asked for" }
            ul.cards { @for correction in asked { li {
                p { strong { (what(visitor, correction, names)) } " " (state(correction.status)) }
                p { "You said: " (correction.reason) }
                @if let Some(reason) = &correction.decision_reason { p { "The answer: " (reason) } }
            } } }
        }
    }
}

/// The status of a correction as a sentence.
pub(super) fn state(status: CorrectionStatus) -> &'static str {
    match status {
        CorrectionStatus::Asked => "Nobody has decided yet.",
        CorrectionStatus::Accepted => "Accepted.",
        CorrectionStatus::Refused => "Refused.",
    }
}

/// The requested change as a sentence.
pub(super) fn what(visitor: &Visitor, correction: &CorrectionRequest, names: &KnownNames) -> Markup {
    let reader = &visitor.reader;
    let stretch = |start: Millis, end: Millis| {
        if reader.day(start) == reader.day(end) {
            format!("{}–{}", reader.moment(start), reader.time(end))
        } else {
            format!("{} to {}", reader.moment(start), reader.moment(end))
        }
    };
    let on = |project, task| format!("{}, {}", lanes::project(names, project), lanes::task(names, task));
    let now = stretch(correction.start, correction.end);
    let work = on(correction.project_id, correction.task_id);
    html! {
        @match (&correction.was, correction.void) {
            (_, true) => { "Should not count: " (now) ", " (work) "." }
            (None, false) => { "A missing time: " (now) ", " (work) "." }
            (Some(was), false) => {
                (now) ", " (work)
                @if (was.start, was.end) != (correction.start, correction.end) { ", in place of " (stretch(was.start, was.end)) }
                @if (was.project_id, was.task_id) != (correction.project_id, correction.task_id) { ", in place of " (on(was.project_id, was.task_id)) }
                "."
            }
        }
        @if let Some(note) = correction.note.as_ref().filter(|_| !correction.void) { " Note: " (note) }
    }
}

/// Collects the ids in corrections, to request their names.
pub(super) fn ids_of(corrections: &[CorrectionRequest]) -> Ids {
    let was = || corrections.iter().filter_map(|correction| correction.was.as_ref());
    Ids {
        projects: corrections.iter().map(|c| c.project_id).chain(was().map(|was| was.project_id)).collect(),
        tasks: corrections.iter().map(|c| c.task_id).chain(was().map(|was| was.task_id)).collect(),
        employees: corrections.iter().map(|c| c.employee_id).collect(),
        ..Ids::default()
    }
}
