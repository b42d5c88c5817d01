//! The page of what needs a decision: requested corrections, quarantined windows, dead messages,
//! undelivered invitations, implausibly long days, time on two computers at once, and employees
//! whose apps send nothing any more.

use axum::response::Response;
use contracts::{
    AdmitQuarantined, Code, ContentHash, CorrectionStatus, DiscardQuarantined, Employee, EmployeeId, Failure,
    GetWindow, HOUR, ListCorrections, ListEmployees, ListLongDays, ListOverlaps, ListQuarantine, LongDay, Overlap,
    ProjectId, QuarantinedWindow, ROSTER_MOST, ReplayQuarantined, Resource, Scope, TaskId, Window, WindowId,
    WindowState,
};
use futures::try_join;
use jiff::ToSpan;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    dead, errors, lanes, members, no_rate,
    notice::{Done, notice},
    now::{is_unsent, silent_since},
    pages::Pager,
    places, task_actions,
    visitor::Visitor,
};
use crate::{
    auth::ForManagers,
    error::Problem,
    extract::{Form, Params},
    names::{Ids, KnownNames},
};

/// The number of quarantined windows on one page of the list.
const HELD: usize = 50;
/// The largest number of quarantined windows, of requested corrections, and of long days that are
/// read.
const MOST: usize = 1_000;
/// The number of days before today. Long days, and time on two computers at once, are searched on
/// these days and today.
const DAYS: i32 = 14;
/// The page lists days with more time than this, in milliseconds.
const LONG: i64 = 16 * HOUR;

/// The form of a decision about a window.
#[derive(Deserialize)]
pub(super) struct Chosen {
    id: Option<WindowId>,
    content: Option<ContentHash>,
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::ATTENTION, content)
}

/// Checks a quarantined window again by the current rules, and records it if they allow it.
pub(super) async fn replay(visitor: Visitor, Form(chosen): Form<Chosen>) -> Result<Response, Problem> {
    let (id, content) = chosen.read()?;
    let done = |state| match state {
        WindowState::Recorded(window) => (Done::Recorded, Some(window.id)),
        _ => (Done::StillHeld, None),
    };
    Ok(after(&visitor, ReplayQuarantined { id, content, set_aside: true }, done).await)
}

/// Records a quarantined window although a rule refused it.
pub(super) async fn admit(visitor: Visitor, Form(chosen): Form<Chosen>) -> Result<Response, Problem> {
    let (id, content) = chosen.read()?;
    Ok(after(&visitor, AdmitQuarantined { id, content }, recorded).await)
}

fn recorded(window: Window) -> (Done, Option<WindowId>) {
    (Done::Recorded, Some(window.id))
}

/// Discards a quarantined window.
pub(super) async fn discard(visitor: Visitor, Form(chosen): Form<Chosen>) -> Result<Response, Problem> {
    let (id, content) = chosen.read()?;
    Ok(after(&visitor, DiscardQuarantined { id, content }, |()| (Done::Discarded, None)).await)
}

/// The form that puts the employee of a quarantined window on its project and task.
#[derive(Deserialize)]
pub(super) struct Given {
    id: Option<WindowId>,
    content: Option<ContentHash>,
    employee: EmployeeId,
    project: ProjectId,
    task: TaskId,
}

/// Adds the window's employee to the project and the task, which also allows their later windows,
/// and records the window.
pub(super) async fn assign(visitor: Visitor, Form(given): Form<Given>) -> Result<Response, Problem> {
    if !may_assign(&visitor) {
        return Ok(visitor.forbidden());
    }
    let Given { id, content, employee, project, task } = given;
    let (id, content) = Chosen { id, content }.read()?;
    let placed = async {
        members::join(&visitor, project, employee).await?;
        task_actions::join(&visitor, task, employee).await
    };
    match placed.await {
        Ok(_) => Ok(after(&visitor, AdmitQuarantined { id, content }, recorded).await),
        Err(failure) => Ok(visitor.failed(&failure)),
    }
}

fn may_assign(visitor: &Visitor) -> bool {
    [Resource::Time, Resource::Projects, Resource::Tasks]
        .into_iter()
        .all(|resource| visitor.may(Scope::write(resource)))
}

impl Chosen {
    fn read(self) -> Result<(WindowId, Option<ContentHash>), Failure> {
        Ok((self.id.ok_or_else(|| Failure::field("id", "must be given"))?, self.content))
    }
}

/// Sends the request of a form. The response is an error page, or a redirect to this page, which
/// then has a notice of what was done and, after a recording, a link to the window.
async fn after<R: ForManagers>(
    visitor: &Visitor,
    request: R,
    done: impl Fn(R::Reply) -> (Done, Option<WindowId>),
) -> Response {
    match visitor.ask(request).await.map(done) {
        Ok((done, window)) => {
            let window = window.map(|id| format!("&window={id}")).unwrap_or_default();
            errors::see(&(places::after(places::ATTENTION.path, done) + &window))
        }
        Err(failure) => visitor.failed(&failure),
    }
}

/// The recorded window that the query parameter `window` names. `None` when there is none, for
/// example because the window became an adjustment, or when it cannot be read.
async fn just_recorded(visitor: &Visitor, params: &Params) -> Option<Window> {
    let id = params.get("window", "must be the id of a window").ok().flatten()?;
    match visitor.ask_if(Resource::Time, GetWindow { id, seq: None, set_aside: false }).await {
        Ok(Some(WindowState::Recorded(window))) => Some(*window),
        _ => None,
    }
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let today = reader.day(visitor.app.clock.now());
    let misfit = || Failure::field("day", "must be a day of the calendar");
    let first = today.checked_sub(DAYS.days()).map_err(|_| misfit())?;
    let range = reader.days(first, DAYS + 1).ok_or_else(misfit)?;
    let long =
        ListLongDays { range, longer_than: LONG, timezone: reader.zone.clone(), employees: Vec::new(), after: None };
    let overlaps = ListOverlaps { range, employees: Vec::new(), projects: Vec::new(), after: None };
    let may_see = |resource| visitor.may(Scope::read(resource));
    let held = async {
        if may_see(Resource::Time) {
            visitor.first(ListQuarantine::default(), MOST).await
        } else {
            Ok(Default::default())
        }
    };
    let employees = async {
        if may_see(Resource::Employees) {
            Ok::<_, Failure>(visitor.first(ListEmployees::default(), 20_000).await?.0)
        } else {
            Ok(Vec::new())
        }
    };
    let asked = async {
        if may_see(Resource::Time) {
            let asked = ListCorrections { status: Some(CorrectionStatus::Asked), ..ListCorrections::default() };
            visitor.first(asked, MOST).await
        } else {
            Ok(Default::default())
        }
    };
    let held = async {
        let (held, has_more) = held.await?;
        // The rates show whether hours would have no rate. This is shown only next to windows whose
        // employee the visitor may add to the project or the task, so the rates are requested only
        // if there are such windows.
        let is_any = may_assign(visitor) && held.iter().any(|held| may_be_placed(held.code));
        let rates = if is_any { no_rate::Known::ask(visitor).await? } else { None };
        Ok::<_, Failure>((held, has_more, rates))
    };
    let recorded = async { Ok(just_recorded(visitor, params).await) };
    let ((held, has_more, rates), recorded, (asked, more_asked), employees, (long, _), overlaps, silent, dead) = try_join!(
        held,
        recorded,
        asked,
        employees,
        visitor.first(long, MOST),
        visitor.ask(overlaps),
        silent_since(visitor, today, ROSTER_MOST),
        dead::found(visitor),
    )?;
    let twice: Vec<Overlap> = overlaps.items.into_iter().filter(|o| o.taken_from_other_computers > 0).collect();
    let ids = Ids {
        projects: held.iter().map(|held| held.window.project_id).chain(recorded.iter().map(|w| w.project_id)).collect(),
        tasks: held.iter().map(|held| held.window.task_id).chain(recorded.iter().map(|w| w.task_id)).collect(),
        employees: held
            .iter()
            .map(|held| held.employee_id)
            .chain(recorded.iter().map(|window| window.employee_id))
            .chain(long.iter().map(|day| day.employee_id))
            .chain(twice.iter().map(|overlap| overlap.employee_id))
            .collect(),
        ..Ids::default()
    };
    let names = visitor.names(ids).await;
    let name = |id| names.employees.get(&id).map_or("somebody without a name", contracts::Name::as_str);
    let unsent: Vec<&Employee> = employees.iter().filter(|employee| is_unsent(employee)).collect();
    let pager = Pager::of(params, held.len(), HELD)?;
    let count = held.len();
    let held = pager.part(held);
    let is_calm = held.is_empty()
        && asked.is_empty()
        && unsent.is_empty()
        && long.is_empty()
        && twice.is_empty()
        && silent.people.is_empty()
        && dead.is_calm();
    let days = visitor.app.organisation.settings().await.timezone.clone();
    let lacking = |held: &QuarantinedWindow| {
        let (window, known) = (&held.window, rates.as_ref()?);
        Some(known.lacking(held.employee_id, window.project_id, window.task_id, days.day(window.start)))
    };
    Ok(html! {
        (notice(params))
        @if let Some(window) = &recorded { (shown_recorded(visitor, window, name(window.employee_id), &names)) }
        @if is_calm {
            section { p.empty { "Nothing needs you: all hours that came in are counted, and all invitations are on their way." } }
        }
        @if !asked.is_empty() {
            section {
                h2 { "Corrections that were asked for (" (reader.count(asked.len())) @if more_asked { " or more" } ")" }
                p { a.button href=(visitor.address(places::CORRECTIONS.path)) { "Decide about them" } }
            }
        }
        @if !held.is_empty() {
            section {
                h2 { "Hours that are held back (" (reader.count(count)) @if has_more { " or more" } ")" }
                p { "They came in and are safe, but a rule says no. Whatever you decide is kept with your name." }
                ul.cards { @for window in &held { li { (one_held(visitor, window, name(window.employee_id), &names, lacking(window))) } } }
                (pager.links(visitor))
            }
        }
        (dead.shown(visitor))
        @if !unsent.is_empty() {
            section {
                h2 { "Invitations that could not be delivered" }
                ul.cards { @for employee in &unsent { li { (one_unsent(visitor, employee)) } } }
            }
        }
        @if !long.is_empty() { section { h2 { "Days of more than 16 hours" } (long_days(visitor, &long, name)) } }
        @if !twice.is_empty() { section { h2 { "On two computers at once" } (at_once(visitor, &twice, name)) } }
        @if !silent.people.is_empty() {
            section {
                h2 { "Fallen silent" }
                p { "They used to track, and nothing has come for three days. Holidays, or an app that does not run?" }
                ul { @for person in &silent.people { li { (visitor.person(person.id, person.name.as_str())) } } }
            }
        }
    })
}

/// The text for the person who decides about a quarantined window: why it is quarantined, and what
/// they can do. `None` for a code without such a text. The page then shows the window's `detail`,
/// which is written for the employee.
fn remedy(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::NotOnProject => {
            "This person was not on the project when they worked. If the work was meant, put them on the project and the task, and count the hours."
        }
        Code::NotOnTask => {
            "This person was not on the task when they worked. If the work was meant, put them on the task, and count the hours."
        }
        Code::ProjectArchived => "The project was archived then. Count the hours if the work was meant.",
        Code::UnknownProject | Code::UnknownTask | Code::UnknownEmployee => {
            "The project, the task or the person is not known here, so the hours can only be checked again once it is, or be discarded."
        }
        Code::ClockAhead => "The computer's clock runs ahead. It is counted by itself when its time has come.",
        Code::ClockBehind => "The computer's clock runs far behind. Count it only if the date is right.",
        Code::PeriodLocked => {
            "Its time is settled. Count the hours as an adjustment in the time that is open now, or open the period again."
        }
        Code::Conflict => "Another window has the same id. Counted, this one gets an id of its own.",
        _ => return None,
    })
}

/// Whether a window was quarantined because its employee was not on the project or the task.
fn may_be_placed(code: Code) -> bool {
    matches!(code, Code::NotOnProject | Code::NotOnTask)
}

/// A link to the window that was just recorded, and whether a rate applies to it.
fn shown_recorded(visitor: &Visitor, window: &Window, name: &str, names: &KnownNames) -> Markup {
    let reader = &visitor.reader;
    let (project, task) = (lanes::project(names, window.project_id), lanes::task(names, window.task_id));
    html! {
        section {
            p {
                "This window counts now: "
                a href=(visitor.address(&places::window(window.id))) {
                    (name) ", " (reader.moment(window.start)) "–" (reader.time(window.end)) ", " (project) ", " (task)
                }
            }
            (no_rate::after(visitor, window))
        }
    }
}

fn one_held(
    visitor: &Visitor,
    held: &QuarantinedWindow,
    name: &str,
    names: &KnownNames,
    lacking: Option<no_rate::Lacking>,
) -> Markup {
    let (reader, window) = (&visitor.reader, &held.window);
    let may_place = may_be_placed(held.code) && may_assign(visitor);
    let place = html! {
        input type="hidden" name="employee" value=(held.employee_id);
        input type="hidden" name="project" value=(window.project_id);
        input type="hidden" name="task" value=(window.task_id);
    };
    let action = |word: &str, label: &str, class: &str| {
        html! {
            form method="post" action=(visitor.address(&format!("{}/{word}", places::ATTENTION.path))) {
                input type="hidden" name="id" value=(held.id);
                @if let Some(content) = held.content { input type="hidden" name="content" value=(content); }
                @if word == "assign" { (place) }
                button class=(class) type="submit" { (label) span.unseen { ": " (name) ", " (reader.moment(window.start)) } }
            }
        }
    };
    html! {
        p {
            strong { (visitor.person(held.employee_id, name)) } ", " (reader.moment(window.start)) "–" (reader.time(window.end))
            ", " (lanes::project(names, window.project_id)) ", " (lanes::task(names, window.task_id)) ", " (window.computer)
        }
        p {
            @if let Some(remedy) = remedy(held.code) { (remedy) }
            @else { (held.detail) " Count it if the hours were worked, or discard it." }
        }
        @if let Some(lacking) = lacking.filter(|_| may_be_placed(held.code)) { (no_rate::before(visitor, lacking, window.project_id)) }
        @if visitor.may(Scope::write(Resource::Time)) {
            div.row {
                @if may_place { (action("assign", if held.code == Code::NotOnTask { "Put them on the task and count the hours" } else { "Put them on the project and count the hours" }, "")) }
                (action("admit", "Count the hours", if may_place { "quiet" } else { "" }))
                (action("replay", "Check again", "quiet"))
                (action("discard", "Discard", "quiet"))
            }
        }
    }
}

fn one_unsent(visitor: &Visitor, employee: &Employee) -> Markup {
    let invitation = employee.invitation.as_ref();
    html! {
        p { strong { (visitor.person(employee.id, employee.name.as_str())) } ", " (employee.email) }
        @if let Some(detail) = invitation.and_then(|invitation| invitation.detail.as_ref()) { p { (detail) } }
        @if visitor.may(Scope::write(Resource::Employees)) {
            form method="post" action=(visitor.address(&places::person_action(employee.id, "invite"))) {
                button type="submit" { "Send a new invitation" span.unseen { " to " (employee.name) } }
            }
        }
    }
}

fn long_days<'a>(visitor: &Visitor, days: &[LongDay], name: impl Fn(contracts::EmployeeId) -> &'a str) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Days of more than 16 hours" { table {
            thead { tr { th scope="col" { "Day" } th scope="col" { "Who" } th.number scope="col" { "Hours" } } }
            tbody { @for day in days { tr {
                td { a href={ (visitor.address(places::DAY.path)) "?day=" (day.day) } { (visitor.reader.date(day.day)) } }
                td.text { (visitor.person(day.employee_id, name(day.employee_id))) }
                td.number { (visitor.reader.hours(day.time)) }
            } } }
        } }
    }
}

fn at_once<'a>(visitor: &Visitor, overlaps: &[Overlap], name: impl Fn(contracts::EmployeeId) -> &'a str) -> Markup {
    let reader = &visitor.reader;
    html! {
        div.wide tabindex="0" role="region" aria-label="On two computers at once" { table {
            thead { tr { th scope="col" { "From – to" } th scope="col" { "Who" } th scope="col" { "Computer" } th.number scope="col" { "At once" } } }
            tbody { @for overlap in overlaps { tr {
                td { a href={ (visitor.address(places::DAY.path)) "?day=" (reader.day(overlap.start)) } { (reader.moment(overlap.start)) "–" (reader.time(overlap.end)) } }
                td.text { (visitor.person(overlap.employee_id, name(overlap.employee_id))) }
                td.text { (overlap.computer) }
                td.number { (reader.hours(overlap.taken_from_other_computers)) }
            } } }
        } }
    }
}
