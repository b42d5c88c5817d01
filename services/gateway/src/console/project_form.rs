//! The form that changes a project.

use contracts::{Failure, Given, Name, Note, Project, ProjectChanges, ScreenshotSettings, Tag};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    inputs::{Fields, Misfits, note, seen, text, tick, typed, words},
    project_address::action,
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
    screenshots: Option<String>,
    statuses: Option<String>,
    priorities: Option<String>,
}

/// Reads the submitted form into changes of the project.
pub(super) fn read(filled: &Filled) -> Result<ProjectChanges, Failure> {
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

/// Renders the form that changes a project.
pub(super) fn form(visitor: &Visitor, project: &Project, tag: &Tag, tried: Option<(&Filled, &Failure)>) -> Markup {
    let ticked =
        |of: fn(&Filled) -> &Option<String>, stored: bool| tried.map_or(stored, |(filled, _)| of(filled).is_some());
    let fields = Fields::of(
        "project",
        tried,
        [
            (|f: &Filled| &f.name, project.name.to_string()),
            (|f| &f.description, project.description.as_ref().map_or("", Note::as_str).to_owned()),
            (|f| &f.statuses, typed(&project.statuses)),
            (|f| &f.priorities, typed(&project.priorities)),
        ],
    );
    let a_line = Some("One on each line, in the order in which they are offered.");
    html! {
        section #change {
            h2 { "Change it" }
            form method="post" action=(action(visitor, project.id, "update")) {
                (seen(tag))
                (fields.input(0, "name", "Name", None).line())
                (fields.input(1, "description", "Description", None).lines(3))
                (tick("billable", "Its work is billed", ticked(|f| &f.billable, project.billable)))
                (tick("screenshots", "The desktop app takes screenshots", ticked(|f| &f.screenshots, project.screenshot_settings.screenshot_enabled)))
                (fields.input(2, "statuses", "Statuses that a task can have", a_line).lines(4))
                (fields.input(3, "priorities", "Priorities that a task can have", a_line).lines(4))
                p { button type="submit" { "Save" } }
            }
        }
    }
}
