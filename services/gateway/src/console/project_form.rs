//! The form that changes a project.

use contracts::{Failure, Given, Name, Note, Project, ProjectChanges, ScreenshotSettings, Tag};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    inputs::{Input, Misfits, beside, note, seen, stored, text, tick, typed, words},
    project_address::action,
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
    screenshots: Option<String>,
    statuses: Option<String>,
    priorities: Option<String>,
}

/// Reads the changes.
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

/// The form that changes a project.
pub(super) fn form(visitor: &Visitor, project: &Project, tag: &Tag, tried: Option<(&Filled, &Failure)>) -> Markup {
    let (filled, failure) = tried.unzip();
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
    let hints: Vec<Option<String>> = values.iter().zip(&now).map(|(value, now)| stored(failure, value, now)).collect();
    let input = |n: usize, name, label, usual: Option<&'static str>| {
        let hint = hints[n].as_deref().or(usual);
        Input { form: "project", name, label, value: &values[n], error: beside(failure, name), hint }
    };
    let a_line = Some("One on each line, in the order in which they are offered.");
    html! {
        section #change {
            h2 { "Change it" }
            form method="post" action=(action(visitor, project.id, "update")) {
                (seen(tag))
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
