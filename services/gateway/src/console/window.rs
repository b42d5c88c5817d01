//! The page of one recorded window, with forms that correct or void it for visitors who may do so.

use axum::response::Response;
use contracts::{
    Code, Conditional, CorrectWindow, Failure, GetWindow, IfMatch, ListTasks, Millis, Name, Note, ProjectId, Resource,
    Scope, Tag, Task, TaskId, VoidWindow, Window, WindowCorrection, WindowId, WindowState,
};
use futures::try_join;
use jiff::civil::DateTime;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    forms::{Field, alert, choice, field, said},
    lanes, no_rate,
    notice::{Done, notice},
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params, PathId},
    names::Ids,
};

/// The largest number of tasks that the form offers.
const TASKS: usize = 5_000;

/// The form that corrects a window.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    start: Option<String>,
    end: Option<String>,
    /// The project and the task, separated by a slash.
    work: Option<String>,
    note: Option<String>,
    reason: Option<String>,
    /// The ETag of the state that the form showed.
    seen: Option<String>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<WindowId>, params: Params) -> Response {
    let content = content(&visitor, id, &params, None, None).await;
    visitor.page(&places::WINDOW, content)
}

/// Corrects the window.
pub(super) async fn correct(
    visitor: Visitor,
    PathId(id): PathId<WindowId>,
    params: Params,
    Form(filled): Form<Filled>,
) -> Result<Response, Problem> {
    let outcome =
        visitor.submit(read(&visitor, id, &filled).await.map(|change| filled.on_condition(change))).await.map(drop);
    let leads = places::after(&places::window(id), Done::Saved);
    Ok(after(&visitor, id, &params, &filled, outcome.map(|()| leads)).await)
}

/// Voids the window.
pub(super) async fn void(
    visitor: Visitor,
    PathId(id): PathId<WindowId>,
    params: Params,
    Form(filled): Form<Filled>,
) -> Result<Response, Problem> {
    let outcome = voided(&visitor, id, &filled).await;
    Ok(after(&visitor, id, &params, &filled, outcome).await)
}

/// Voids the window, and returns the URL of the page with the employee's windows of that day,
/// because a voided window has no page.
async fn voided(visitor: &Visitor, id: WindowId, filled: &Filled) -> Result<String, Failure> {
    let reason = Some(filled.reason()?);
    let window = recorded(visitor, id).await?;
    visitor.ask(filled.on_condition(VoidWindow { id, reason })).await?;
    let (day, done) = (visitor.reader.day(window.start), Done::Voided.word());
    Ok(format!("{}?employee={}&day={day}&done={done}", places::WINDOWS.path, window.employee_id))
}

async fn after(
    visitor: &Visitor,
    id: WindowId,
    params: &Params,
    filled: &Filled,
    outcome: Result<String, Failure>,
) -> Response {
    match outcome {
        Ok(leads) => errors::see(&leads),
        Err(failure) => {
            let content = content(visitor, id, params, Some(filled), Some(&failure)).await;
            visitor.again(&places::WINDOW, &failure, content)
        }
    }
}

impl Filled {
    fn reason(&self) -> Result<Note, Failure> {
        let reason = self.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            return Err(Failure::field("reason", "must be given"));
        }
        Note::parse(reason).map_err(|error| Failure::field("reason", error))
    }

    /// Makes a change conditional: it is refused if the window has changed since the form was
    /// shown.
    fn on_condition<R>(&self, change: R) -> Conditional<R> {
        let seen = self.seen.as_deref().filter(|seen| !seen.is_empty());
        Conditional { change, if_match: IfMatch(seen.map(|seen| vec![Tag::sent(seen)])) }
    }
}

/// Reads the fields of the form that differ from the window. A time that was not changed keeps the
/// window's milliseconds, which the form does not show.
async fn read(visitor: &Visitor, id: WindowId, filled: &Filled) -> Result<CorrectWindow, Failure> {
    let window = recorded(visitor, id).await?;
    let reason = Some(filled.reason()?);
    let moment = |name, typed: &Option<String>, stored: Millis| {
        let typed = typed.as_deref().unwrap_or_default().trim();
        // Browsers leave out seconds that are 0.
        if typed == local(visitor, stored) || format!("{typed}:00") == local(visitor, stored) {
            return Ok(None);
        }
        let misfit = || Failure::field(name, "must be a day and a time such as 2026-03-01T09:30");
        let local: DateTime = typed.parse().map_err(|_| misfit())?;
        Ok(Some(visitor.reader.at(local).ok_or_else(misfit)?))
    };
    let (project, task) = match filled.work.as_deref().unwrap_or_default().split_once('/') {
        Some((project, task)) => (project.parse::<ProjectId>().ok(), task.parse::<TaskId>().ok()),
        None => (None, None),
    };
    let (Some(project), Some(task)) = (project, task) else {
        return Err(Failure::field("work", "must be one of those"));
    };
    let is_moved = (project, task) != (window.project_id, window.task_id);
    let note = match filled.note.as_deref().unwrap_or_default().trim() {
        "" => None,
        text => Some(Note::parse(text).map_err(|error| Failure::field("note", error))?),
    };
    let changes = WindowCorrection {
        start: moment("start", &filled.start, window.start)?,
        end: moment("end", &filled.end, window.end)?,
        project_id: is_moved.then_some(project),
        task_id: is_moved.then_some(task),
        note: (note != window.note).then_some(note),
        ..WindowCorrection::default()
    };
    Ok(CorrectWindow { id, changes, reason })
}

async fn recorded(visitor: &Visitor, id: WindowId) -> Result<Window, Failure> {
    match visitor.ask(GetWindow { id, seq: None, set_aside: true }).await? {
        WindowState::Recorded(window) => Ok(*window),
        _ => Err(Failure::not_found("window")),
    }
}

/// A moment in the format of the HTML field `datetime-local`, in the visitor's time zone.
pub(super) fn local(visitor: &Visitor, at: Millis) -> String {
    visitor.reader.local(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

async fn content(
    visitor: &Visitor,
    id: WindowId,
    params: &Params,
    filled: Option<&Filled>,
    failure: Option<&Failure>,
) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let may_change = visitor.may(Scope::write(Resource::Time));
    let tasks = async {
        if may_change && visitor.may(Scope::read(Resource::Tasks)) {
            Ok::<_, Failure>(visitor.first(ListTasks::default(), TASKS).await?.0)
        } else {
            Ok(Vec::new())
        }
    };
    let (window, tasks) = try_join!(recorded(visitor, id), tasks)?;
    let names = visitor
        .names(Ids {
            employees: [window.employee_id].into(),
            projects: tasks.iter().map(|task| task.project_id).chain([window.project_id]).collect(),
            tasks: [window.task_id].into(),
            ..Ids::default()
        })
        .await;
    let name = names.employees.get(&window.employee_id).map_or("somebody", Name::as_str);
    let day = format!("{}?day={}", visitor.address(places::DAY.path), reader.day(window.start));
    Ok(html! {
        (notice(params))
        (alert(failure))
        section {
            p {
                strong { (visitor.person(window.employee_id, name)) } ", "
                (reader.moment(window.start)) " to " (reader.moment(window.end)) ", "
                (lanes::project(&names, window.project_id)) ", " (lanes::task(&names, window.task_id)) ", " (window.computer)
            }
            @if let Some(note) = &window.note { p { (note) } }
            (no_rate::after(visitor, &window))
            p { a href=(day) { "The whole day" } }
        }
        @if may_change {
            section { h2 { "Correct it" } (correcting(visitor, &window, &tasks, &names, filled, failure)) }
            section { (voiding(visitor, &window, filled, failure)) }
        }
    })
}

fn correcting(
    visitor: &Visitor,
    window: &Window,
    tasks: &[Task],
    names: &crate::names::KnownNames,
    filled: Option<&Filled>,
    failure: Option<&Failure>,
) -> Markup {
    let typed = |of: fn(&Filled) -> &Option<String>, stored: String| {
        filled.and_then(|filled| of(filled).clone()).unwrap_or(stored)
    };
    let input =
        |name, label, kind, value: &str, error| field(&Field { name, label, kind, value, autocomplete: "off", error });
    let word = |project: ProjectId, task: TaskId| format!("{project}/{task}");
    let own = word(window.project_id, window.task_id);
    let mut works: Vec<(String, String)> = tasks
        .iter()
        .map(|task| {
            (word(task.project_id, task.id), format!("{}, {}", lanes::project(names, task.project_id), task.name))
        })
        .collect();
    if works.iter().all(|(word, _)| *word != own) {
        let name = format!("{}, {}", lanes::project(names, window.project_id), lanes::task(names, window.task_id));
        works.push((own.clone(), name));
    }
    works.sort_by_cached_key(|(_, name)| name.to_lowercase());
    let works: Vec<(&str, String)> = works.iter().map(|(word, name)| (word.as_str(), name.clone())).collect();
    let note = window.note.as_ref().map(ToString::to_string).unwrap_or_default();
    let reason = filled.filter(|filled| filled.work.is_some()).and_then(|filled| filled.reason.clone());
    let reason = reason.unwrap_or_default();
    // Failures about the project or the task are shown next to the field that contains both.
    let unknown = failure.filter(|failure| matches!(failure.code, Code::UnknownProject | Code::UnknownTask));
    let own_reason = said(failure, "reason").filter(|_| filled.is_some_and(|filled| filled.work.is_some()));
    let of_work = said(failure, "work").or(said(failure, "taskId")).or(said(failure, "projectId"));
    html! {
        form method="post" action=(visitor.address(&places::window(window.id))) {
            input type="hidden" name="seen" value=(window.tag().as_str());
            (moment("start", "From", &typed(|f| &f.start, local(visitor, window.start)), said(failure, "start")))
            (moment("end", "To", &typed(|f| &f.end, local(visitor, window.end)), said(failure, "end")))
            (choice("work", "Project and task", &works, &typed(|f| &f.work, own), of_work.or(unknown.map(|failure| failure.detail.as_str()))))
            (input("note", "Note", "text", &typed(|f| &f.note, note), said(failure, "note")))
            (input("reason", "Why", "text", &reason, own_reason))
            p.hint { "The audit trail keeps what it said, who corrected it and why." }
            p { button type="submit" { "Correct it" } }
        }
    }
}

/// Renders a field for a moment, with seconds.
pub(super) fn moment(name: &str, label: &str, value: &str, error: Option<&str>) -> Markup {
    let id = format!("{name}-error");
    html! {
        label for=(name) { (label) }
        input id=(name) name=(name) type="datetime-local" step="1" value=(value) autocomplete="off"
            aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| &id)];
        @if let Some(error) = error { p.error id=(id) { (error) } }
    }
}

fn voiding(visitor: &Visitor, window: &Window, filled: Option<&Filled>, failure: Option<&Failure>) -> Markup {
    // The page has two forms. Submitted values with project and task are from the form that
    // corrects the window, so they and their errors are not shown here.
    let own = filled.filter(|filled| filled.work.is_none());
    let error = own.and(said(failure, "reason"));
    let value = own.and_then(|filled| filled.reason.as_deref()).unwrap_or_default();
    html! {
        details open[own.is_some()] {
            summary { "Void it…" }
            form method="post" action=(format!("{}/void", visitor.address(&places::window(window.id)))) {
                input type="hidden" name="seen" value=(window.tag().as_str());
                p { "It counts no longer, not in hours and not in money. Sent again by the desktop app, it stays voided." }
                label for="void-reason" { "Why it does not count" }
                input #void-reason name="reason" type="text" value=(value) autocomplete="off"
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "void-error")];
                @if let Some(error) = error { p.error #void-error { (error) } }
                p { button.grave type="submit" { "Void it" } }
            }
        }
    }
}
