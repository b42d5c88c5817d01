//! The page of a task: its fields, its assignees and its project.

use axum::response::Response;
use contracts::{EmployeeId, Failure, GetProject, GetTask, ListProjects, Project, Resource, Scope, Tag, Task, TaskId};
use futures::try_join;
use maud::{Markup, html};

use super::{
    employee_names, errors,
    inputs::{Input, alert, beside, seen},
    members::chooser,
    notice::{Done, notice},
    places,
    sums::MOST,
    task_form::{self, action},
    visitor::Visitor,
};
use crate::{
    extract::{Params, PathId},
    names::{Ids, KnownNames},
};

/// Which form of the page was submitted, with its values if the page shows them again.
#[derive(Clone, Copy)]
pub(super) enum Tried<'a> {
    Update(&'a task_form::Filled),
    PutOn,
    Move,
    Other,
}

type Attempt<'a> = Option<(Tried<'a>, &'a Failure)>;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, PathId(id): PathId<TaskId>, params: Params) -> Response {
    match content(&visitor, id, &params, None).await {
        Ok((name, content)) => visitor.titled(&places::TASK, &name, Ok(content)),
        Err(failure) => visitor.failed(&failure),
    }
}

/// Redirects to the page with a notice, or shows the page again with the failure.
pub(super) async fn after<T>(
    visitor: &Visitor,
    id: TaskId,
    params: &Params,
    outcome: Result<T, Failure>,
    done: Done,
    tried: Tried<'_>,
) -> Response {
    match outcome {
        Ok(_) => errors::see(&places::task_after(id, done)),
        Err(failure) => again(visitor, id, params, tried, &failure).await,
    }
}

/// Shows the page again with the failure and what was typed.
pub(super) async fn again(
    visitor: &Visitor,
    id: TaskId,
    params: &Params,
    tried: Tried<'_>,
    failure: &Failure,
) -> Response {
    let content = content(visitor, id, params, Some((tried, failure))).await;
    visitor.titled_again(&places::TASK, failure, content)
}

/// What the sections of the page show.
struct Shown<'a> {
    visitor: &'a Visitor,
    task: &'a Task,
    tag: Tag,
    project: &'a Project,
    names: &'a KnownNames,
    attempt: Attempt<'a>,
}

async fn content(
    visitor: &Visitor,
    id: TaskId,
    params: &Params,
    attempt: Attempt<'_>,
) -> Result<(String, Markup), Failure> {
    let may_change = visitor.may(Scope::write(Resource::Tasks));
    let projects = async {
        let may = may_change && visitor.may(Scope::read(Resource::Projects));
        if may { visitor.first(ListProjects::default(), MOST).await } else { Ok(Default::default()) }
    };
    let (task, (projects, _)) = try_join!(visitor.ask(GetTask { id }), projects)?;
    let project = visitor.ask(GetProject { id: task.project_id }).await?;
    let employees = project.employees.iter().chain(&task.employees).copied().collect();
    let names = visitor.names(Ids { employees, ..Ids::default() }).await;
    let shown = Shown { visitor, task: &task, tag: task.tag(), project: &project, names: &names, attempt };
    let content = html! {
        (notice(params))
        (alert(attempt.map(|(_, failure)| failure)))
        (shown.state())
        (shown.people(may_change))
        @if may_change { (task_form::form(visitor, &task, &shown.tag, &project, update_attempt(attempt))) (shown.elsewhere(&projects)) (shown.end()) }
    };
    Ok((task.name.to_string(), content))
}

fn update_attempt(attempt: Attempt<'_>) -> Option<(&task_form::Filled, &Failure)> {
    match attempt {
        Some((Tried::Update(filled), failure)) => Some((filled, failure)),
        _ => None,
    }
}

impl Shown<'_> {
    fn state(&self) -> Markup {
        let (visitor, task, project) = (self.visitor, self.task, self.project);
        let report = format!("{}?groupBy=employee&taskId={}", visitor.address(places::REPORTS.path), task.id);
        html! {
            p {
                span.tag { (task.status) } " " span.tag { "Priority " (task.priority) } " "
                span.tag { @if task.billable { "Billed" } @else { "Not billed" } }
                " of "
                @if visitor.may_open(places::PROJECT.access) {
                    a href=(visitor.address(&places::project(project.id))) { (project.name) }
                } @else { (project.name) }
                @if project.archived { " " span.tag { "Archived" } " It takes no new time." }
            }
            @if let Some(description) = &task.description {
                @for line in description.as_str().lines().filter(|line| !line.trim().is_empty()) { p { (line) } }
            }
            @if visitor.may_open(places::REPORTS.access) { p { a href=(report) { "The hours of this month on it" } } }
        }
    }

    fn people(&self, may_change: bool) -> Markup {
        let (visitor, task, names) = (self.visitor, self.task, self.names);
        let list = html! {
            ul.cards { @for id in employee_names::sorted(names, &task.employees) { li.row {
                span { (visitor.person(id, employee_names::name(names, id))) }
                @if may_change {
                    button.quiet type="submit" name="employee" value=(id) { "Take off" span.unseen { ": " (employee_names::name(names, id)) } }
                }
            } } }
        };
        let failure = match self.attempt {
            Some((Tried::PutOn, failure)) => Some(failure),
            _ => None,
        };
        let others: Vec<EmployeeId> =
            self.project.employees.iter().copied().filter(|id| !task.employees.contains(id)).collect();
        let mut options: Vec<(String, String)> = employee_names::sorted(names, &others)
            .into_iter()
            .map(|id| (id.to_string(), employee_names::name(names, id).to_owned()))
            .collect();
        if options.len() > 1 {
            options.push(("*".to_owned(), "Everybody on the project".to_owned()));
        }
        html! {
            section #people {
                h2 { "People" }
                @if task.employees.is_empty() {
                    p.empty { "Nobody is on it yet, so nobody can track on it." }
                } @else if may_change {
                    form method="post" action=(action(visitor, task.id, "take-off")) { (list) }
                } @else { (list) }
                @if may_change {
                    @if self.project.employees.is_empty() {
                        p.hint {
                            "Only who is on the project can be put on it, and nobody is: "
                            a href=(visitor.address(&places::project(self.project.id))) { "put people on " (self.project.name) } " first."
                        }
                    } @else if options.is_empty() && failure.is_none() {
                        p.hint { "Everybody on the project is on it." }
                    } @else {
                        form method="post" action=(action(visitor, task.id, "put-on")) { (chooser("Put on the task", options, failure)) }
                    }
                }
            }
        }
    }

    fn elsewhere(&self, projects: &[Project]) -> Markup {
        let mut others: Vec<&Project> = projects.iter().filter(|project| project.id != self.task.project_id).collect();
        others.sort_by_cached_key(|project| (project.name.as_str().to_lowercase(), project.id));
        if others.is_empty() {
            return html! {};
        }
        let failure = match self.attempt {
            Some((Tried::Move, failure)) => Some(failure),
            _ => None,
        };
        let mut options = vec![(String::new(), "Choose a project".to_owned())];
        options.extend(others.iter().map(|project| (project.id.to_string(), project.name.to_string())));
        let input = Input {
            form: "move",
            name: "project",
            label: "Move it to",
            value: "",
            error: beside(failure, "project"),
            hint: Some(
                "Whoever is not on that project is off the task then. A status or priority that it does not have \
                 becomes its usual one. Recorded hours stay with the project that they were worked for.",
            ),
        };
        html! {
            section {
                h2 { "Another project" }
                form method="post" action=(action(self.visitor, self.task.id, "move")) {
                    (input.choice(&options))
                    p { button.quiet type="submit" { "Move" } }
                }
            }
        }
    }

    fn end(&self) -> Markup {
        html! {
            section {
                h2 { "Delete it" }
                details {
                    summary { "Delete " (self.task.name) "…" }
                    form method="post" action=(action(self.visitor, self.task.id, "delete")) {
                        (seen(&self.tag))
                        p { "Its people are off it at once, nobody can track on it, and nothing brings it back. Recorded hours stay, and reports still show them under its name." }
                        p { button.grave type="submit" { "Delete the task" } }
                    }
                }
            }
        }
    }
}
