//! The page with the list of projects, their time and money, and the form that creates a project.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use contracts::{
    CreateProject, Failure, Filter, Given, Grouping, ListProjects, Name, Project, ProjectId, Resource, Scope, TimeRow,
};
use futures::try_join;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors,
    inputs::{Input, Misfits, alert, beside, note, text, tick},
    lanes, no_rate,
    notice::{Done, notice},
    pages::Pager,
    places,
    sums::{Asked, Line, MOST, Sums, heads},
    visitor::Visitor,
};
use crate::{
    extract::{Form, LongForm, Params},
    names::{Ids, KnownNames},
};

/// The number of projects on one page of the list.
const PROJECTS: usize = 100;

/// The form that creates a project.
#[derive(Default, Deserialize)]
pub(super) struct Filled {
    name: Option<String>,
    description: Option<String>,
    billable: Option<String>,
}

/// Which projects are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// Projects that accept time, and other projects that have time in the chosen days.
    Open,
    /// Archived projects.
    Archived,
}

/// The state of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Archived,
    /// The project has time in the chosen days, but is not in the list of open projects. So it is
    /// archived or deleted; the page does not know which.
    ArchivedOrDeleted,
}

struct Entry {
    id: ProjectId,
    name: String,
    state: State,
    /// The number of members; `None` if it is not known.
    people: Option<usize>,
    sums: Sums,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params, None, None).await;
    visitor.page(&places::PROJECTS, content)
}

/// Creates a project.
pub(super) async fn submit(visitor: Visitor, params: Params, Form(filled): LongForm<Filled>) -> Response {
    let created = visitor.submit(read(&filled)).await;
    match created {
        Ok(project) => errors::see(&places::project_after(project.id, Done::ProjectCreated)),
        Err(failure) => {
            let content = content(&visitor, &params, Some(&filled), Some(&failure)).await;
            visitor.again(&places::PROJECTS, &failure, content)
        }
    }
}

fn read(filled: &Filled) -> Result<CreateProject, Failure> {
    let mut misfits = Misfits::default();
    let name = misfits.take("name", Name::given(text(&filled.name)));
    let description = misfits.take("description", note(text(&filled.description))).flatten();
    misfits.check()?;
    Ok(CreateProject {
        name: name.ok_or_else(|| Failure::field("name", "must be given"))?,
        description,
        billable: Some(filled.billable.is_some()),
        employees: None,
        statuses: None,
        priorities: None,
        screenshot_settings: None,
        payroll: None,
    })
}

async fn content(
    visitor: &Visitor,
    params: &Params,
    filled: Option<&Filled>,
    failure: Option<&Failure>,
) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let asked = Asked::of(visitor, params)?;
    let sought = params.get::<String>("find", "must be text")?.unwrap_or_default();
    let which = match params.get::<String>("which", "must be a word")?.as_deref() {
        None | Some("open") => Which::Open,
        Some("archived") => Which::Archived,
        Some(_) => return Err(Failure::field("which", "must be open or archived")),
    };
    let all = Filter::default();
    let by_project = asked.request(visitor, &[Grouping::Project], &all)?;
    let archived = which == Which::Archived;
    let (listed, rows, whole) = try_join!(
        visitor.first(ListProjects { archived, after: None }, MOST),
        async {
            let may_count = visitor.may(Scope::read(Resource::Analytics));
            if may_count { Ok(visitor.first(by_project, MOST).await?.0) } else { Ok(Vec::new()) }
        },
        visitor.ask_if(Resource::Analytics, asked.request(visitor, &[], &all)?),
    )?;
    let (listed, has_more) = listed;
    let whole = whole.map(|page| Sums::whole(&page.items)).unwrap_or_default();
    let names = visitor.names(unnamed(which, &listed, &rows)).await;
    let entries = entries(which, &listed, &rows, &names);
    let is_all = which == Which::Open && sought.is_empty();
    let nothing_yet = is_all && entries.is_empty();
    let small = sought.to_lowercase();
    let entries: Vec<Entry> = entries.into_iter().filter(|entry| entry.name.to_lowercase().contains(&small)).collect();
    let may_create = visitor.may(Scope::write(Resource::Projects));
    let link = |entry: &Entry| format!("{}?{}", visitor.address(&places::project(entry.id)), asked.query());
    let lines: Vec<Line> = entries
        .iter()
        .map(|entry| Line { name: entry.name.clone(), link: Some(link(entry)), sums: entry.sums })
        .collect();
    let has_time = lines.iter().any(|line| line.sums != Sums::default());
    let count = entries.len();
    let pager = Pager::of(params, count, PROJECTS)?;
    let entries = pager.part(entries);
    Ok(html! {
        (notice(params))
        (alert(failure))
        @if may_create { (create(visitor, filled, failure, nothing_yet)) }
        @if nothing_yet {
            section { p.empty {
                "There is no project yet. "
                @if may_create { "Create the first one above; then put people on it and give it tasks." }
                @else { "Somebody who may change projects creates the first one." }
            } }
        } @else {
            form.row method="get" action=(visitor.address(places::PROJECTS.path)) role="search" {
                (asked.fields())
                label { "Name " input type="search" name="find" value=(sought); }
                label { "Which "
                    select name="which" {
                        option value="open" selected[which == Which::Open] { "Open" }
                        option value="archived" selected[which == Which::Archived] { "Archived" }
                    }
                }
                button type="submit" { "Show" }
            }
            @if has_more { p.error { "There are more projects than can be listed here." } }
            @if entries.is_empty() {
                section { p.empty {
                    @if !sought.is_empty() { "No project is found by that name. Try a part of it, or look among the others." }
                    @else { "No project is archived. One that is done can be archived on its page." }
                } }
            } @else {
                section {
                    @if has_time {
                        figure {
                            figcaption {
                                strong { (asked.days(reader)) }
                                @if is_all { (asked.sentence(reader, count, whole)) }
                                @else { "The bars show those projects that are listed here." }
                            }
                            (asked.drawn(reader, &lines))
                        }
                    } @else {
                        p.empty { "No time is recorded on these from " (asked.days(reader)) ". Choose other days, or wait until somebody has tracked." }
                    }
                    div.wide tabindex="0" role="region" aria-label="Projects as a table" {
                        (table(visitor, &entries, count, link, is_all.then_some(whole)))
                    }
                    (no_rate::hint(visitor, entries.iter().map(|entry| (entry.sums.time, entry.sums.costs))))
                }
                (pager.links(visitor))
            }
        }
    })
}

/// Collects the ids of projects that have time in the chosen days but are not in the list of open
/// projects, to request their names.
fn unnamed(which: Which, listed: &[Project], rows: &[TimeRow]) -> Ids {
    let listed: BTreeSet<ProjectId> = listed.iter().map(|project| project.id).collect();
    let others = rows.iter().filter_map(|row| row.project).filter(|id| which == Which::Open && !listed.contains(id));
    Ids { projects: others.collect(), ..Ids::default() }
}

fn entries(which: Which, listed: &[Project], rows: &[TimeRow], names: &KnownNames) -> Vec<Entry> {
    let mut sums: BTreeMap<ProjectId, Sums> =
        rows.iter().filter_map(|row| Some((row.project?, Sums::of(row)))).collect();
    let state = if which == Which::Open { State::Open } else { State::Archived };
    let mut entries: Vec<Entry> = listed
        .iter()
        .map(|project| Entry {
            id: project.id,
            name: project.name.to_string(),
            state,
            people: Some(project.employees.len()),
            sums: sums.remove(&project.id).unwrap_or_default(),
        })
        .collect();
    if which == Which::Open {
        entries.extend(sums.into_iter().map(|(id, sums)| {
            let name = lanes::project(names, id).to_owned();
            Entry { id, name, state: State::ArchivedOrDeleted, people: None, sums }
        }));
    }
    entries.sort_by_cached_key(|entry| (entry.name.to_lowercase(), entry.id));
    entries
}

fn table(
    visitor: &Visitor,
    entries: &[Entry],
    count: usize,
    link: impl Fn(&Entry) -> String,
    whole: Option<Sums>,
) -> Markup {
    let reader = &visitor.reader;
    html! {
        table {
            caption { (reader.count(count)) @if count == 1 { " project" } @else { " projects" } }
            thead { tr {
                th scope="col" { "Name" } th scope="col" { "State" } th.number scope="col" { "People" } (heads(&visitor.reader))
            } }
            tbody { @for entry in entries { tr {
                th.text scope="row" { a href=(link(entry)) { (entry.name) } }
                td {
                    @match entry.state {
                        State::Open => span.tag.good { "Open" },
                        State::Archived => span.tag { "Archived" },
                        State::ArchivedOrDeleted => span.tag { "Archived or deleted" },
                    }
                }
                td.number { @if let Some(people) = entry.people { (reader.count(people)) } }
                (entry.sums.cells(reader))
            } } }
            @if let Some(whole) = whole {
                tfoot { tr { th scope="row" colspan="3" { "All" } (whole.cells(reader)) } }
            }
        }
    }
}

fn create(visitor: &Visitor, filled: Option<&Filled>, failure: Option<&Failure>, open: bool) -> Markup {
    let form = "create";
    let of = |of: fn(&Filled) -> &Option<String>| filled.map_or("", |filled| text(of(filled)));
    let name =
        Input { form, name: "name", label: "Name", value: of(|f| &f.name), error: beside(failure, "name"), hint: None };
    let description = Input {
        name: "description",
        label: "Description",
        value: of(|f| &f.description),
        error: beside(failure, "description"),
        hint: Some("May be left empty."),
        ..name
    };
    html! {
        section {
            details open[open || failure.is_some()] {
                summary { "Create a project" }
                form method="post" action=(visitor.address(places::PROJECTS.path)) {
                    (name.line())
                    (description.lines(3))
                    (tick("billable", "Its work is billed", filled.is_none_or(|filled| filled.billable.is_some())))
                    p.hint { "People, rates and tasks come next, on its own page." }
                    p { button type="submit" { "Create" } }
                }
            }
        }
    }
}
