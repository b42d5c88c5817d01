//! One project: its time and money, members and tasks, and changing it.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{
    DeleteProject, Employee, EmployeeId, Failure, Filter, GetProject, GetTime, Given, Grouping, ListEmployees,
    ListTasks, Name, Note, Project, ProjectChanges, ProjectId, Resource, Scope, ScreenshotSettings, Tag, TimeRow,
    UpdateProject,
};
use futures::try_join;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    inputs::{Input, Misfits, alert, beside, note, on_seen, seen, stored, text, tick, typed, words},
    lanes, members,
    notice::{Done, notice},
    payroll, places, rates,
    sums::{Asked, Line, MOST, Sums},
    tasks,
    visitor::Visitor,
};
use crate::{
    extract::{Form, LongForm, Params, PathId},
    names::{Ids, Told},
};

/// The form with the project's own fields.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    seen: Option<String>,
    name: Option<String>,
    description: Option<String>,
    billable: Option<String>,
    screenshots: Option<String>,
    statuses: Option<String>,
    priorities: Option<String>,
}

/// A form with only the tag of the shown state.
#[derive(Deserialize)]
pub(super) struct Seen {
    seen: Option<String>,
}

/// The submitted form of the page.
#[derive(Clone, Copy)]
pub(super) enum Tried<'a> {
    Update(&'a Filled),
    PutOn,
    Rates(&'a payroll::Filled),
    Task(&'a tasks::Filled),
    Other,
}

/// A failed attempt: the form and the failure.
pub(super) type Attempt<'a> = Option<(Tried<'a>, &'a Failure)>;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<ProjectId>, params: Params) -> Response {
    match content(&visitor, id, &params, None).await {
        Ok((name, content)) => visitor.titled(&places::PROJECT, &name, Ok(content)),
        Err(failure) => visitor.failed(&failure),
    }
}

/// Changes the project itself.
pub(super) async fn update(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(filled): LongForm<Filled>,
) -> Response {
    let outcome = match read(&filled) {
        Ok(changes) => visitor.ask(on_seen(filled.seen.as_ref(), UpdateProject { id, changes })).await,
        Err(failure) => Err(failure),
    };
    after(&visitor, id, &params, outcome, Done::Saved, Tried::Update(&filled)).await
}

/// Archives the project.
pub(super) async fn archive(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    set_archived(&visitor, id, &params, &form, true).await
}

/// Reopens the project.
pub(super) async fn restore(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    set_archived(&visitor, id, &params, &form, false).await
}

async fn set_archived(visitor: &Visitor, id: ProjectId, params: &Params, form: &Seen, archived: bool) -> Response {
    let changes = ProjectChanges { archived: Some(archived), ..ProjectChanges::default() };
    let outcome = visitor.ask(on_seen(form.seen.as_ref(), UpdateProject { id, changes })).await;
    let done = if archived { Done::Archived } else { Done::Restored };
    after(visitor, id, params, outcome, done, Tried::Other).await
}

/// Deletes the project and its tasks.
pub(super) async fn delete(
    visitor: Visitor,
    PathId(id): PathId<ProjectId>,
    params: Params,
    Form(form): Form<Seen>,
) -> Response {
    match visitor.ask(on_seen(form.seen.as_ref(), DeleteProject { id })).await {
        Ok(()) => errors::see(&format!("{}?done={}", places::PROJECTS.path, Done::Deleted.word())),
        Err(failure) => again(&visitor, id, &params, Tried::Other, &failure).await,
    }
}

/// Redirects to the page with a notice, or shows it again with the failure.
pub(super) async fn after<T>(
    visitor: &Visitor,
    id: ProjectId,
    params: &Params,
    outcome: Result<T, Failure>,
    done: Done,
    tried: Tried<'_>,
) -> Response {
    match outcome {
        Ok(_) => errors::see(&format!("{}{}", places::project_after(id, done), days(visitor, '&'))),
        Err(failure) => again(visitor, id, params, tried, &failure).await,
    }
}

async fn again(visitor: &Visitor, id: ProjectId, params: &Params, tried: Tried<'_>, failure: &Failure) -> Response {
    let content = content(visitor, id, params, Some((tried, failure))).await;
    visitor.titled_again(&places::PROJECT, failure, content)
}

/// The path to which a form is sent, with the shown days, which are shown afterwards too.
pub(super) fn action(visitor: &Visitor, id: ProjectId, word: &str) -> String {
    visitor.address(&format!("{}/{word}{}", places::project(id), days(visitor, '?')))
}

/// The days of the query, for another query; empty if there are none.
fn days(visitor: &Visitor, begins_with: char) -> String {
    let query = visitor.here.split_once('?').map_or("", |(_, query)| query);
    let names_days = |pair: &&str| ["from=", "to=", "bars="].iter().any(|name| pair.starts_with(name));
    let pairs: Vec<&str> = query.split('&').filter(names_days).collect();
    if pairs.is_empty() { String::new() } else { format!("{begins_with}{}", pairs.join("&")) }
}

fn read(filled: &Filled) -> Result<ProjectChanges, Failure> {
    let mut misfits = Misfits::default();
    let name = misfits.take("name", Name::given(text(&filled.name)));
    let description = misfits.take("description", note(text(&filled.description)));
    let statuses = misfits.take("statuses", words(text(&filled.statuses)));
    let priorities = misfits.take("priorities", words(text(&filled.priorities)));
    misfits.check()?;
    Ok(ProjectChanges {
        name,
        description,
        billable: Some(filled.billable.is_some()),
        employees: None,
        statuses,
        priorities,
        screenshot_settings: Some(ScreenshotSettings { screenshot_enabled: filled.screenshots.is_some() }),
        payroll: None,
        archived: None,
    })
}

/// The data of the page.
struct Shown<'a> {
    visitor: &'a Visitor,
    project: &'a Project,
    tag: Tag,
    told: &'a Told,
    attempt: Attempt<'a>,
}

async fn content(
    visitor: &Visitor,
    id: ProjectId,
    params: &Params,
    attempt: Attempt<'_>,
) -> Result<(String, Markup), Failure> {
    let asked = Asked::of(visitor, params)?;
    let may_change = visitor.may(Scope::write(Resource::Projects));
    let filter = Filter { projects: vec![id], ..Filter::default() };
    let count = async |by: &[Grouping]| -> Result<Vec<TimeRow>, Failure> {
        let request: GetTime = asked.request(visitor, by, &filter)?;
        let may = visitor.may(Scope::read(Resource::Analytics));
        if may { Ok(visitor.first(request, MOST).await?.0) } else { Ok(Vec::new()) }
    };
    let tasks = async {
        let request = ListTasks { project_id: Some(id), after: None };
        let may = visitor.may(Scope::read(Resource::Tasks));
        if may { visitor.first(request, tasks::MOST).await.map(Some) } else { Ok(None) }
    };
    let everybody = async {
        let may = may_change && visitor.may(Scope::read(Resource::Employees));
        if may { visitor.first(ListEmployees::default(), members::MOST).await } else { Ok(Default::default()) }
    };
    let (project, by_task, by_employee, whole, tasks, (everybody, _)) = try_join!(
        visitor.ask(GetProject { id }),
        count(&[Grouping::Task]),
        count(&[Grouping::Employee]),
        count(&[]),
        tasks,
        everybody,
    )?;
    let employees = project.employees.iter().copied().chain(by_employee.iter().filter_map(|row| row.employee));
    let ids = Ids {
        tasks: by_task.iter().filter_map(|row| row.task).collect(),
        employees: employees.collect::<BTreeSet<EmployeeId>>(),
        ..Ids::default()
    };
    let told = visitor.names(ids).await;
    let dated = match (visitor.may(Scope::read(Resource::Rates)), &tasks) {
        (false, _) => None,
        (true, tasks) => {
            let tasks = tasks.as_ref().map_or(&[][..], |(tasks, _)| tasks);
            Some(rates::of_project(visitor, &project, tasks, None).await?)
        }
    };
    let shown = Shown { visitor, project: &project, tag: project.tag(), told: &told, attempt };
    let content = html! {
        (notice(params))
        (alert(attempt.map(|(_, failure)| failure)))
        (shown.state())
        @if visitor.may(Scope::read(Resource::Analytics)) {
            (shown.worked(asked, &by_task, &by_employee, Sums::whole(&whole)))
        }
        @if let Some((tasks, has_more)) = &tasks {
            (tasks::section(visitor, &project, tasks, *has_more, task_attempt(attempt)))
        }
        (shown.people(&everybody, params)?)
        @if let Some(dated) = dated { (dated) }
        @if may_change { (shown.change()) (shown.end()) }
    };
    Ok((project.name.to_string(), content))
}

fn task_attempt(attempt: Attempt<'_>) -> Option<(&tasks::Filled, &Failure)> {
    match attempt {
        Some((Tried::Task(filled), failure)) => Some((filled, failure)),
        _ => None,
    }
}

impl Shown<'_> {
    fn state(&self) -> Markup {
        let project = self.project;
        let words = |words: &[contracts::Label]| typed(words).replace('\n', ", ");
        html! {
            p {
                @if project.archived { span.tag { "Archived" } } @else { span.tag.good { "Open" } }
                " " span.tag { @if project.billable { "Billed" } @else { "Not billed" } }
                @if project.screenshot_settings.screenshot_enabled { " " span.tag { "Screenshots are taken" } }
                " since " (self.visitor.reader.date(self.visitor.reader.day(project.created_at)))
            }
            @if let Some(description) = &project.description {
                @for line in description.as_str().lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
            }
            p.hint { "Its tasks have one of the statuses " (words(&project.statuses)) ", and one of the priorities " (words(&project.priorities)) "." }
        }
    }

    fn worked(&self, asked: Asked, by_task: &[TimeRow], by_employee: &[TimeRow], whole: Sums) -> Markup {
        let (visitor, reader, told) = (self.visitor, &self.visitor.reader, self.told);
        let path = visitor.address(&places::project(self.project.id));
        let of_tasks: Vec<Line> = by_task
            .iter()
            .filter_map(|row| {
                let link = Some(visitor.address(&places::task(row.task?)));
                Some(Line { name: lanes::task(told, row.task?).to_owned(), link, sums: Sums::of(row) })
            })
            .collect();
        let may_open = visitor.may_open(places::PERSON.access);
        let of_people: Vec<Line> = by_employee
            .iter()
            .filter_map(|row| {
                let id = row.employee?;
                let link = may_open.then(|| visitor.address(&places::person(id)));
                Some(Line { name: members::name(told, id).to_owned(), link, sums: Sums::of(row) })
            })
            .collect();
        html! {
            form.row method="get" action=(path) {
                (asked.fields())
                button type="submit" { "Show" }
            }
            @if by_task.is_empty() {
                section { p.empty {
                    "No time is recorded on it from " (asked.days(reader)) ". Choose other days, or put people on its tasks: the desktop app then shows them."
                } }
            } @else {
                section { (asked.figure(visitor, "By task", "Task", of_tasks, whole)) }
                section { (asked.figure(visitor, "By person", "Person", of_people, whole)) }
            }
        }
    }

    fn people(&self, everybody: &[Employee], params: &Params) -> Result<Markup, Failure> {
        let (visitor, project, told) = (self.visitor, self.project, self.told);
        let tried = match self.attempt {
            Some((Tried::Rates(filled), failure)) => Some((filled, failure)),
            _ => None,
        };
        let payee = payroll::chosen(params, project, tried)?;
        let put_on = match self.attempt {
            Some((Tried::PutOn, failure)) => Some(failure),
            _ => None,
        };
        let may_change = visitor.may(Scope::write(Resource::Projects));
        Ok(html! {
            section #people {
                h2 { "People and rates" }
                (members::table(visitor, project, told))
                @if may_change { (members::put_on_form(visitor, project, everybody, put_on)) }
            }
            @if may_change { section #rates { (payroll::form(visitor, project, &self.tag, told, payee, tried)) } }
        })
    }

    fn change(&self) -> Markup {
        let (project, form) = (self.project, "project");
        let (filled, failure) = match self.attempt {
            Some((Tried::Update(filled), failure)) => (Some(filled), Some(failure)),
            _ => (None, None),
        };
        let of = |of: fn(&Filled) -> &Option<String>, stored: &str| {
            filled.map_or_else(|| stored.to_owned(), |filled| text(of(filled)).to_owned())
        };
        let ticked = |of: fn(&Filled) -> &Option<String>, stored: bool| filled.map_or(stored, |f| of(f).is_some());
        let now = [
            project.name.to_string(),
            project.description.as_ref().map_or("", Note::as_str).to_owned(),
            typed(&project.statuses),
            typed(&project.priorities),
        ];
        let values = [
            of(|f| &f.name, &now[0]),
            of(|f| &f.description, &now[1]),
            of(|f| &f.statuses, &now[2]),
            of(|f| &f.priorities, &now[3]),
        ];
        let hints: Vec<Option<String>> =
            values.iter().zip(&now).map(|(value, now)| stored(failure, value, now)).collect();
        let input = |n: usize, name, label, usual: Option<&'static str>| {
            let hint = hints[n].as_deref().or(usual);
            Input { form, name, label, value: &values[n], error: beside(failure, name), hint }
        };
        let a_line = Some("One on each line, in the order in which they are offered.");
        html! {
            section #change {
                h2 { "Change it" }
                form method="post" action=(action(self.visitor, project.id, "update")) {
                    (seen(&self.tag))
                    (input(0, "name", "Name", None).line())
                    (input(1, "description", "Description", None).lines(3))
                    (tick("billable", "Its work is billed", ticked(|f| &f.billable, project.billable)))
                    (tick("screenshots", "The desktop app takes screenshots", ticked(|f| &f.screenshots, project.screenshot_settings.screenshot_enabled)))
                    (input(2, "statuses", "Statuses that a task can have", a_line).lines(4))
                    (input(3, "priorities", "Priorities that a task can have", a_line).lines(4))
                    p { button type="submit" { "Save" } }
                }
            }
        }
    }

    fn end(&self) -> Markup {
        let project = self.project;
        let send = |word: &str| action(self.visitor, project.id, word);
        html! {
            section {
                h2 { "Archive or delete it" }
                @if project.archived {
                    form method="post" action=(send("restore")) {
                        (seen(&self.tag))
                        p { "Brought back, it is in the lists again and takes time. Its people and tasks are as they were." }
                        p { button type="submit" { "Bring it back" } }
                    }
                } @else {
                    form method="post" action=(send("archive")) {
                        (seen(&self.tag))
                        p { "Archived, it is out of the lists and takes no new time. What was worked before still counts, and it can be brought back." }
                        p { button.quiet type="submit" { "Archive" } }
                    }
                }
                details {
                    summary { "Delete " (project.name) "…" }
                    form method="post" action=(send("delete")) {
                        (seen(&self.tag))
                        p { "Its tasks go with it, its people are off it at once, and nothing brings it back. Recorded hours stay, and reports still show them under its name." }
                        p { button.grave type="submit" { "Delete the project and its tasks" } }
                    }
                }
            }
        }
    }
}
