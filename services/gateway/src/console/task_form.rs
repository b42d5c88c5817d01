//! The form that changes a task.

use contracts::{Failure, Given, Label, Name, Note, Project, Tag, Task, TaskChanges, TaskId};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    inputs::{Fields, Misfits, note, seen, text, tick},
    places,
    visitor::Visitor,
};

/// The submitted form.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    /// The ETag of the state that the form showed.
    pub(super) seen: Option<String>,
    name: Option<String>,
    description: Option<String>,
    billable: Option<String>,
    status: Option<String>,
    priority: Option<String>,
}

/// Reads the submitted form into changes of the task.
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

/// The URL to which a form on the task's page is submitted.
pub(super) fn action(visitor: &Visitor, id: TaskId, word: &str) -> String {
    visitor.address(&format!("{}/{word}", places::task(id)))
}

/// Renders the form that changes a task.
pub(super) fn form(
    visitor: &Visitor,
    task: &Task,
    tag: &Tag,
    project: &Project,
    tried: Option<(&Filled, &Failure)>,
) -> Markup {
    let fields = Fields::of(
        "task",
        tried,
        [
            (|f: &Filled| &f.name, task.name.to_string()),
            (|f| &f.description, task.description.as_ref().map_or("", Note::as_str).to_owned()),
            (|f| &f.status, task.status.to_string()),
            (|f| &f.priority, task.priority.to_string()),
        ],
    );
    let billable = tried.map_or(task.billable, |(filled, _)| filled.billable.is_some());
    html! {
        section #change {
            h2 { "Change it" }
            form method="post" action=(action(visitor, task.id, "update")) {
                (seen(tag))
                (fields.input(0, "name", "Name", None).line())
                (fields.input(1, "description", "Description", None).lines(3))
                (fields.input(2, "status", "Status", None).word(&project.statuses))
                (fields.input(3, "priority", "Priority", None).word(&project.priorities))
                (tick("billable", "Its work is billed", billable))
                p { button type="submit" { "Save" } }
            }
        }
    }
}
