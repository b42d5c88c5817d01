//! The start page: who works on what now, and what needs a decision.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::response::Response;
use contracts::{
    Cents, CountQuarantine, CountUndelivered, DeliveryState, Employee, EmployeeId, Failure, Filter, GetTime,
    ListRoster, ListSilent, ListTracking, Name, QUARANTINE_COUNTED, Resource, Roster, Scope, TimeRange, TimeRow,
    Tracked, TrackingNow,
};
use futures::try_join;
use jiff::{ToSpan, civil::Date};
use kit::RecentAnswer;
use maud::{Markup, html};

use super::{lanes, pages::Pager, places, reader::Reader, visitor::Visitor};
use crate::{
    extract::Params,
    names::{Ids, KnownNames},
};

/// An employee counts as silent if they have time on any of the `USED_TO` days before today, but
/// none today and none on the last [`SILENT`] of these days.
const USED_TO: i32 = 14;
const SILENT: i32 = 3;
/// The number of employees on one page of the list.
const PEOPLE: usize = 50;
/// The largest number of silent employees whose names are shown.
const NAMED: usize = 10;

/// Shows the page, whose content refreshes itself.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.live(&places::NOW, &params, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let today = reader.day(visitor.app.clock.now());
    let misfit = || Failure::field("day", "must be a day of the calendar");
    let of_day = reader.days(today, 1).ok_or_else(misfit)?;
    let of_week = reader.days(reader.week(today), 7).ok_or_else(misfit)?;
    let skip = Pager::skipped(params, PEOPLE)?;
    let (tracking, day, week, silent, held, unsent) = try_join!(
        visitor.app.at_work.get((visitor.manager(), skip), at_work(visitor, skip)),
        visitor.ask(time(visitor, of_day)),
        visitor.ask(time(visitor, of_week)),
        silent_since(visitor, today, NAMED),
        visitor.ask_if(Resource::Time, CountQuarantine::default()),
        visitor.ask_if(Resource::Employees, CountUndelivered::default()),
    )?;
    let pager = Pager::of(params, tracking.count, PEOPLE)?;
    let AtWork { people, names, .. } = &*tracking;
    let (day, week) = (sums(&day.items), sums(&week.items));

    Ok(html! {
        dl.tiles {
            div { dt { "Tracking now" } dd { (reader.count(pager.count())) } }
            div { dt { "Hours today" } dd { (reader.hours(day.time)) } }
            div { dt { "Cost today" } dd { (reader.sum_of_cost(day.time, day.costs)) } }
            div { dt { "Hours this week" } dd { (reader.hours(week.time)) } }
            div { dt { "Cost this week" } dd { (reader.sum_of_cost(week.time, week.costs)) } }
            div { dt { "Income this week" } dd { (reader.sum(week.income)) } }
        }
        section {
            h2 { "Tracking now" }
            @if people.is_empty() {
                p.empty { "Nobody has sent time in the last quarter of an hour." }
            } @else {
                (table(visitor, people, names))
                (pager.links(visitor))
            }
        }
        section {
            h2 { a href=(visitor.address(places::ATTENTION.path)) { "Needs attention" } }
            (needs(reader, held.unwrap_or_default(), unsent.unwrap_or_default(), &silent))
        }
    })
}

/// One page of the list of employees who track time now. Within the page they are sorted by name.
#[derive(Debug)]
pub(crate) struct AtWork {
    /// The number of all employees who track time now.
    count: usize,
    people: Vec<Tracked>,
    names: Arc<KnownNames>,
}

/// Recent pages of the list of tracking employees, by the manager who opens the page and the number
/// of employees on earlier pages. They are cached for a moment, because every open page requests
/// the list again every ten seconds.
pub(crate) type RecentAtWork = RecentAnswer<(Option<EmployeeId>, usize), AtWork>;

/// How long a page of the list of tracking employees is cached.
pub(crate) const AT_WORK_LASTS: Duration = Duration::from_secs(2);

async fn at_work(visitor: &Visitor, skip: usize) -> Result<AtWork, Failure> {
    let TrackingNow { count, mut people } =
        visitor.ask(ListTracking { employees: Vec::new(), skip, limit: PEOPLE }).await?;
    let names = visitor.names(ids_of(&people)).await;
    people.sort_by_cached_key(|tracked| (name(&names, tracked.employee_id).to_lowercase(), tracked.employee_id));
    Ok(AtWork { count, people, names })
}

fn time(visitor: &Visitor, range: TimeRange) -> GetTime {
    GetTime {
        range,
        group_by: BTreeSet::new(),
        timezone: visitor.reader.zone.clone(),
        filter: Filter::default(),
        after: None,
    }
}

/// The silent employees: their number, and the first `most` of them by name. Deactivated employees
/// are left out. The result is empty if the visitor may not read employees.
pub(super) async fn silent_since(visitor: &Visitor, today: Date, most: usize) -> Result<Roster, Failure> {
    let days = |ago: i32, count: i32| {
        let range = today.checked_sub(ago.days()).ok().and_then(|first| visitor.reader.days(first, count));
        range.ok_or_else(|| Failure::field("day", "must be a day of the calendar"))
    };
    let (worked, silent) = (days(USED_TO, USED_TO - SILENT)?, days(SILENT, SILENT + 1)?);
    let employees = visitor.ask(ListSilent { worked, silent, employees: Vec::new() }).await?;
    if employees.is_empty() || !visitor.may(Scope::read(Resource::Employees)) {
        return Ok(Roster::default());
    }
    // The range begins now, not at the beginning of the day. Otherwise employees who were
    // deactivated today would be included.
    let from_now_on = TimeRange::new(visitor.app.clock.now(), silent.end().max(visitor.app.clock.now() + 1));
    let range = from_now_on.unwrap_or(silent);
    visitor.ask(ListRoster { range, employees, skip: 0, limit: most }).await
}

/// Collects the ids of tracking employees and of their projects and tasks, to request their names.
fn ids_of(people: &[Tracked]) -> Ids {
    Ids {
        employees: people.iter().map(|tracked| tracked.employee_id).collect(),
        projects: people.iter().map(|tracked| tracked.project_id).collect(),
        tasks: people.iter().map(|tracked| tracked.task_id).collect(),
        ..Ids::default()
    }
}

fn name(names: &KnownNames, id: EmployeeId) -> &str {
    names.employees.get(&id).map_or("somebody", Name::as_str)
}

fn table(visitor: &Visitor, people: &[Tracked], names: &KnownNames) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Who tracks now" {
            table {
                thead { tr {
                    th scope="col" { "Who" } th scope="col" { "Project" } th scope="col" { "Task" }
                    th scope="col" { "Since" } th scope="col" { "Computer" }
                } }
                tbody { @for tracked in people { tr {
                    th.text scope="row" { (visitor.person(tracked.employee_id, name(names, tracked.employee_id))) }
                    td.text { (lanes::project(names, tracked.project_id)) }
                    td.text { (lanes::task(names, tracked.task_id)) }
                    td {
                        @match tracked.since {
                            Some(since) => (visitor.reader.time(since)),
                            None => { "for hours" }
                        }
                    }
                    td.text { (tracked.computer) }
                } } }
            }
        }
    }
}

/// Renders what needs a decision, each kind as a sentence.
fn needs(reader: &Reader, held: u64, unsent: u64, silent: &Roster) -> Markup {
    html! {
        @if held == 0 && unsent == 0 && silent.count == 0 {
            p.empty { "Nothing: all hours that came in are counted, and all invitations are on their way." }
        } @else {
            ul {
                @if held > 0 {
                    li { (reader.count(held as usize)) @if held >= QUARANTINE_COUNTED { " or more" } @if held == 1 { " window of time is" } @else { " windows of time are" } " held back until somebody decides about it." }
                }
                @if unsent > 0 { li { (reader.count(unsent as usize)) " invitations could not be delivered." } }
                @if silent.count > 0 {
                    li {
                        "Nothing has come for " (SILENT) " days from "
                        @for (position, person) in silent.people.iter().enumerate() {
                            @if position > 0 { ", " }
                            (person.name)
                        }
                        @if silent.count > silent.people.len() { " and " (reader.count(silent.count - silent.people.len())) " others" }
                        ", who used to track."
                    }
                }
            }
        }
    }
}

/// Whether the mail with an employee's invitation could not be sent so far.
pub(super) fn is_unsent(employee: &Employee) -> bool {
    let state = employee.invitation.as_ref().map(|invitation| invitation.state);
    matches!(state, Some(DeliveryState::Retrying | DeliveryState::Failed))
}

/// The sums of the time, the costs and the income of all rows.
struct Sums {
    time: i64,
    costs: Cents,
    income: Cents,
}

fn sums(rows: &[TimeRow]) -> Sums {
    let add = |of: fn(&TimeRow) -> i64| rows.iter().map(of).sum();
    Sums { time: add(|row| row.time), costs: Cents(add(|row| row.costs.0)), income: Cents(add(|row| row.income.0)) }
}
