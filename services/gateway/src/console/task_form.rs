//! The form that changes a task.

use contracts::{Failure, Given, Label, Name, Note, Project, Tag, Task, TaskChanges, TaskId};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    inputs::{Input, Misfits, beside, note, seen, stored, text, tick},
    places,
    visitor::Visitor,
};

/// The submitted form.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    /// The tag of the shown state.
    pub(super) seen: Option<String>,
    name: Option<String>,
    description: Option<String>,
    billable: Option<String>,
    status: Option<String>,
    priority: Option<String>,
}

/// Reads the changes.
pub(super) fn read(filled: &Filled) -> Result<TaskChanges, Failure> {
    let mut misfits = Misfits::default();
    let name = misfits.take("name", Name::given(text(&filled.name)));
    let description = misfits.take("description", note(text(&filled.description)));
    let status = misfits.take("status", Label::given(text(&filled.status)));
    let priority = misfits.take("priority", Label::given(text(&filled.priority)));
    misfits.check()?;
    let billable = Some(filled.billable.is_some());
    Ok(TaskChanges { name, project_id: None, description, billable, employees: None, status, priority })
}

/// The path to which a form of the task's page is sent.
pub(super) fn action(visitor: &Visitor, id: TaskId, word: &str) -> String {
    visitor.address(&format!("{}/{word}", places::task(id)))
}

/// The form that changes a task.
pub(super) fn form(
    visitor: &Visitor,
    task: &Task,
    tag: &Tag,
    project: &Project,
    tried: Option<(&Filled, &Failure)>,
) -> Markup {
    let (filled, failure) = tried.unzip();
    let of = |of: fn(&Filled) -> &Option<String>, stored: &str| {
        filled.map_or_else(|| stored.to_owned(), |filled| text(of(filled)).to_owned())
    };
    let now = [
        task.name.as_str(),
        task.description.as_ref().map_or("", Note::as_str),
        task.status.as_str(),
        task.priority.as_str(),
    ];
    let values = [
        of(|f| &f.name, now[0]),
        of(|f| &f.description, now[1]),
        of(|f| &f.status, now[2]),
        of(|f| &f.priority, now[3]),
    ];
    let hints: Vec<Option<String>> = values.iter().zip(now).map(|(value, now)| stored(failure, value, now)).collect();
    let input = |n: usize, name, label| {
        let hint = hints[n].as_deref();
        Input { form: "task", name, label, value: &values[n], error: beside(failure, name), hint }
    };
    html! {
        section #change {
            h2 { "Change it" }
            form method="post" action=(action(visitor, task.id, "update")) {
                (seen(tag))
                (input(0, "name", "Name").line())
                (input(1, "description", "Description").lines(3))
                (input(2, "status", "Status").word(&project.statuses))
                (input(3, "priority", "Priority").word(&project.priorities))
                (tick("billable", "Its work is billed", filled.map_or(task.billable, |f| f.billable.is_some())))
                p { button type="submit" { "Save" } }
            }
        }
    }
}
