//! The section with the tasks of a project, and the form that creates a task.

use contracts::{CreateTask, Failure, Given, Label, Name, Project, ProjectId, Resource, Scope, Task};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    inputs::{Input, Misfits, beside, note, text, tick},
    places,
    project_address::action,
    visitor::Visitor,
};

/// The largest number of tasks of a project that are listed.
pub(super) const MOST: usize = 1_000;

/// The form that creates a task.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    name: Option<String>,
    description: Option<String>,
    billable: Option<String>,
    status: Option<String>,
    priority: Option<String>,
}

/// Reads the submitted form into a request that creates a task.
pub(super) fn read(filled: &Filled, project_id: ProjectId) -> Result<CreateTask, Failure> {
    let mut misfits = Misfits::default();
    let name = misfits.take("name", Name::given(text(&filled.name)));
    let description = misfits.take("description", note(text(&filled.description))).flatten();
    let mut word = |field: &str, typed: &Option<String>| misfits.take(field, Label::given(text(typed)));
    let (status, priority) = (word("status", &filled.status), word("priority", &filled.priority));
    misfits.check()?;
    Ok(CreateTask {
        name: name.ok_or_else(|| Failure::field("name", "must be given"))?,
        project_id,
        description,
        billable: Some(filled.billable.is_some()),
        employees: None,
        status: status.filter(|word| !word.as_str().is_empty()),
        priority: priority.filter(|word| !word.as_str().is_empty()),
    })
}

/// Renders the list of tasks and the form that creates one.
pub(super) fn section(
    visitor: &Visitor,
    project: &Project,
    tasks: &[Task],
    has_more: bool,
    tried: Option<(&Filled, &Failure)>,
) -> Markup {
    let may_create = visitor.may(Scope::write(Resource::Tasks));
    let mut tasks: Vec<&Task> = tasks.iter().collect();
    tasks.sort_by_cached_key(|task| (task.name.as_str().to_lowercase(), task.id));
    html! {
        section #tasks {
            h2 { "Tasks" }
            @if tasks.is_empty() {
                p.empty { "It has no task yet, and time is tracked on tasks. " @if may_create { "Create the first one below." } }
            } @else {
                @if has_more { p.error { "These are the first " (visitor.reader.count(MOST)) "." } }
                div.wide tabindex="0" role="region" aria-label="Tasks as a table" { (table(visitor, &tasks)) }
            }
            @if may_create { (create(visitor, project, tasks.is_empty(), tried)) }
        }
    }
}

fn table(visitor: &Visitor, tasks: &[&Task]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Task" } th scope="col" { "Status" } th scope="col" { "Priority" }
                th scope="col" { "Billed" } th.number scope="col" { "People" }
            } }
            tbody { @for task in tasks { tr {
                th.text scope="row" { a href=(visitor.address(&places::task(task.id))) { (task.name) } }
                td { (task.status) }
                td { (task.priority) }
                td { @if task.billable { "yes" } @else { "no" } }
                td.number { (visitor.reader.count(task.employees.len())) }
            } } }
        }
    }
}

fn create(visitor: &Visitor, project: &Project, is_first: bool, tried: Option<(&Filled, &Failure)>) -> Markup {
    let (filled, failure) = tried.unzip();
    let of = |of: fn(&Filled) -> &Option<String>, usual: &str| {
        filled.map_or_else(|| usual.to_owned(), |filled| text(of(filled)).to_owned())
    };
    let values = [
        of(|f| &f.name, ""),
        of(|f| &f.description, ""),
        of(|f| &f.status, usual(&project.statuses, "To Do")),
        of(|f| &f.priority, usual(&project.priorities, "Medium")),
    ];
    let input = |n: usize, name, label| Input {
        form: "task",
        name,
        label,
        value: &values[n],
        error: beside(failure, name),
        hint: None,
    };
    html! {
        details open[is_first || failure.is_some()] {
            summary { "Create a task" }
            form method="post" action=(action(visitor, project.id, "tasks")) {
                (input(0, "name", "Name of the task").line())
                (input(1, "description", "Description of the task").lines(2))
                (input(2, "status", "Status").word(&project.statuses))
                (input(3, "priority", "Priority").word(&project.priorities))
                (tick("billable", "Its work is billed", filled.map_or(project.billable, |f| f.billable.is_some())))
                p { button type="submit" { "Create the task" } }
            }
        }
    }
}

/// The default word if the project has it, otherwise the project's first word.
pub(super) fn usual<'a>(words: &'a [Label], word: &str) -> &'a str {
    let usual = words.iter().find(|other| other.as_str() == word).or(words.first());
    usual.map_or("", Label::as_str)
}
