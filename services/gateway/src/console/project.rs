//! The page of a project: its time and money, members, rates and tasks.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{
    Employee, EmployeeId, Failure, Filter, GetProject, GetTime, Grouping, ListEmployees, ListTasks, Project, ProjectId,
    Resource, Scope, Tag, TimeRow,
};
use futures::try_join;
use maud::{Markup, html};

use super::{
    employee_names, errors,
    inputs::{alert, seen, typed},
    lanes, members,
    notice::{Done, notice},
    payroll, places,
    project_address::{self, action},
    project_form, rates,
    sums::{Asked, Line, MOST, Sums},
    tasks,
    visitor::Visitor,
};
use crate::{
    extract::{Params, PathId},
    names::{Ids, KnownNames},
};

/// Which form of the page was submitted, with its values if the page shows them again.
#[derive(Clone, Copy)]
pub(super) enum Tried<'a> {
    Update(&'a project_form::Filled),
    PutOn,
    Rates(&'a payroll::Filled),
    Task(&'a tasks::Filled),
    Other,
}

/// A submitted form that failed, and the failure.
pub(super) type Attempt<'a> = Option<(Tried<'a>, &'a Failure)>;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<ProjectId>, params: Params) -> Response {
    match content(&visitor, id, &params, None).await {
        Ok((name, content)) => visitor.titled(&places::PROJECT, &name, Ok(content)),
        Err(failure) => visitor.failed(&failure),
    }
}

/// Redirects to the page with a notice, or shows the page again with the failure.
pub(super) async fn after<T>(
    visitor: &Visitor,
    id: ProjectId,
    params: &Params,
    outcome: Result<T, Failure>,
    done: Done,
    tried: Tried<'_>,
) -> Response {
    match outcome {
        Ok(_) => errors::see(&project_address::after(visitor, id, done)),
        Err(failure) => again(visitor, id, params, tried, &failure).await,
    }
}

/// Shows the page again with the failure and what was typed.
pub(super) async fn again(
    visitor: &Visitor,
    id: ProjectId,
    params: &Params,
    tried: Tried<'_>,
    failure: &Failure,
) -> Response {
    let content = content(visitor, id, params, Some((tried, failure))).await;
    visitor.titled_again(&places::PROJECT, failure, content)
}

/// What the sections of the page show.
struct Shown<'a> {
    visitor: &'a Visitor,
    project: &'a Project,
    tag: Tag,
    names: &'a KnownNames,
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
    let names = visitor.names(ids).await;
    let dated = match (visitor.may(Scope::read(Resource::Rates)), &tasks) {
        (false, _) => None,
        (true, tasks) => {
            let tasks = tasks.as_ref().map_or(&[][..], |(tasks, _)| tasks);
            Some(rates::of_project(visitor, &project, tasks, None).await?)
        }
    };
    let shown = Shown { visitor, project: &project, tag: project.tag(), names: &names, attempt };
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
        @if may_change { (project_form::form(visitor, &project, &shown.tag, update_attempt(attempt))) (shown.end()) }
    };
    Ok((project.name.to_string(), content))
}

fn update_attempt(attempt: Attempt<'_>) -> Option<(&project_form::Filled, &Failure)> {
    match attempt {
        Some((Tried::Update(filled), failure)) => Some((filled, failure)),
        _ => None,
    }
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
        let (visitor, reader, names) = (self.visitor, &self.visitor.reader, self.names);
        let path = visitor.address(&places::project(self.project.id));
        let of_tasks: Vec<Line> = by_task
            .iter()
            .filter_map(|row| {
                let link = Some(visitor.address(&places::task(row.task?)));
                Some(Line { name: lanes::task(names, row.task?).to_owned(), link, sums: Sums::of(row) })
            })
            .collect();
        let may_open = visitor.may_open(places::PERSON.access);
        let of_people: Vec<Line> = by_employee
            .iter()
            .filter_map(|row| {
                let id = row.employee?;
                let link = may_open.then(|| visitor.address(&places::person(id)));
                Some(Line { name: employee_names::name(names, id).to_owned(), link, sums: Sums::of(row) })
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
        let (visitor, project, names) = (self.visitor, self.project, self.names);
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
                (members::table(visitor, project, names))
                @if may_change { (members::put_on_form(visitor, project, everybody, put_on)) }
            }
            @if may_change { section #rates { (payroll::form(visitor, project, &self.tag, names, payee, tried)) } }
        })
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
