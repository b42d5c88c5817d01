//! Who works on what at this moment, and what needs somebody.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use contracts::{
    Cents, DeliveryState, Employee, EmployeeId, Failure, Filter, GetTime, Grouping, HOUR, ListEmployees,
    ListQuarantine, ListWindows, Millis, Resource, TimeRange, TimeRow, Window,
};
use futures::try_join;
use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};

use super::{charts::Lane, lanes, pages::Pager, places, reader::Reader, visitor::Visitor};
use crate::extract::Params;

/// Whose last window ended within this is tracking: apps send one every few minutes.
const RECENT: i64 = 15 * 60_000;
/// How far back it is looked for when somebody began.
const LOOK_BACK: i64 = 3 * HOUR;
/// Whoever has tracked within these days, but not in the last [`SILENT`], has fallen silent.
const USED_TO: i32 = 14;
const SILENT: i32 = 3;
/// The people of one page.
const PEOPLE: usize = 50;
/// The most that is looked at of anything.
const MOST: usize = 5_000;

/// The page; its content fetches itself again.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.live(&places::NOW, &params, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let (reader, now) = (&visitor.reader, visitor.app.clock.now());
    let today = reader.day(now);
    let misfit = || Failure::field("day", "must be a day of the calendar");
    let of_day = reader.days(today, 1).ok_or_else(misfit)?;
    let of_week = reader.days(reader.week(today), 7).ok_or_else(misfit)?;
    let recent = TimeRange::new(now - RECENT, now + RECENT).map_err(|e| Failure::field("day", e))?;
    let ((windows, _), day, week, silent, held, employees) = try_join!(
        visitor.first(ListWindows { range: recent, filter: Filter::default(), after: None, limit: None }, MOST),
        visitor.ask(time(visitor, of_day, None)),
        visitor.ask(time(visitor, of_week, None)),
        silent_since(visitor, today),
        visitor.ask_if(Resource::Time, ListQuarantine::default()),
        everybody(visitor),
    )?;
    let employees: BTreeMap<EmployeeId, Employee> = employees.into_iter().map(|e| (e.id, e)).collect();
    let name = |id: EmployeeId| employees.get(&id).map_or("somebody", |employee| employee.name.as_str());

    let mut tracking: Vec<EmployeeId> = {
        let at_work = windows.iter().filter(|window| window.end > now - RECENT).map(|window| window.employee_id);
        at_work.collect::<BTreeSet<_>>().into_iter().collect()
    };
    tracking.sort_by_cached_key(|id| (name(*id).to_lowercase(), *id));
    let count = tracking.len();
    let pager = Pager::of(params, count, PEOPLE)?;
    let shown = pager.part(tracking.clone());
    let doing = doing(visitor, now, &shown).await?;
    let told = visitor.names(lanes::ids_of(&doing.iter().map(|doing| doing.last.clone()).collect::<Vec<_>>())).await;

    let silent: Vec<&Employee> =
        silent.iter().filter_map(|id| employees.get(id)).filter(|employee| employee.is_active).collect();
    let unsent = employees.values().filter(|employee| is_unsent(employee)).count();
    let (day, week) = (sums(&day.items), sums(&week.items));

    Ok(html! {
        dl.tiles {
            div { dt { "Tracking now" } dd { (reader.count(count)) } }
            div { dt { "Hours today" } dd { (reader.hours(day.time)) } }
            div { dt { "Cost today" } dd { (reader.money(day.costs)) } }
            div { dt { "Hours this week" } dd { (reader.hours(week.time)) } }
            div { dt { "Cost this week" } dd { (reader.money(week.costs)) } }
            div { dt { "Income this week" } dd { (reader.money(week.income)) } }
        }
        section {
            h2 { "Tracking now" }
            @if doing.is_empty() {
                p.empty { "Nobody has sent time in the last " (RECENT / 60_000) " minutes." }
            } @else {
                (table(visitor, &doing, name, &told))
                (pager.links(visitor))
            }
        }
        section {
            h2 { a href=(visitor.address(places::ATTENTION.path)) { "Needs attention" } }
            (needs(reader, held.map(|page| (page.items.len(), page.next.is_some())), unsent, &silent))
        }
    })
}

fn time(visitor: &Visitor, range: TimeRange, by: Option<Grouping>) -> GetTime {
    GetTime {
        range,
        group_by: by.into_iter().collect(),
        timezone: visitor.reader.zone.clone(),
        filter: Filter::default(),
        after: None,
    }
}

/// Who used to track, and has not lately.
pub(super) async fn silent_since(visitor: &Visitor, today: Date) -> Result<BTreeSet<EmployeeId>, Failure> {
    let days = |ago: i32, count: i32| {
        let range = today.checked_sub(ago.days()).ok().and_then(|first| visitor.reader.days(first, count));
        range.ok_or_else(|| Failure::field("day", "must be a day of the calendar"))
    };
    let by = Some(Grouping::Employee);
    let ((before, _), (lately, _)) = try_join!(
        visitor.first(time(visitor, days(USED_TO, USED_TO - SILENT)?, by), MOST),
        visitor.first(time(visitor, days(SILENT, SILENT + 1)?, by), MOST),
    )?;
    let lately: BTreeSet<EmployeeId> = lately.iter().filter_map(|row| row.employee).collect();
    Ok(before.iter().filter_map(|row| row.employee).filter(|id| !lately.contains(id)).collect())
}

/// All employees, where the visitor may see them.
async fn everybody(visitor: &Visitor) -> Result<Vec<Employee>, Failure> {
    if !visitor.may(contracts::Scope::read(Resource::Employees)) {
        return Ok(Vec::new());
    }
    Ok(visitor.first(ListEmployees::default(), MOST).await?.0)
}

/// What somebody does.
struct Doing {
    last: Window,
    /// Since when; nothing where it is longer ago than we look.
    since: Option<Millis>,
}

/// What these people do, and since when.
async fn doing(visitor: &Visitor, now: Millis, people: &[EmployeeId]) -> Result<Vec<Doing>, Failure> {
    let (false, Ok(range)) = (people.is_empty(), TimeRange::new(now - LOOK_BACK, now + RECENT)) else {
        return Ok(Vec::new());
    };
    let filter = Filter { employees: people.to_vec(), ..Filter::default() };
    let (windows, _) = visitor.first(ListWindows { range, filter, after: None, limit: None }, MOST).await?;
    let of = |id: &EmployeeId| {
        let own = || windows.iter().filter(|window| window.employee_id == *id);
        let last = own().max_by_key(|window| window.end)?.clone();
        let since = Lane::of(own(), range).stretches.last().map(|stretch| stretch.start);
        Some(Doing { last, since: since.filter(|since| *since > range.start()) })
    };
    Ok(people.iter().filter_map(of).collect())
}

fn table<'a>(
    visitor: &Visitor,
    doing: &[Doing],
    name: impl Fn(EmployeeId) -> &'a str,
    told: &crate::names::Told,
) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Who tracks now" {
            table {
                thead { tr {
                    th scope="col" { "Who" } th scope="col" { "Project" } th scope="col" { "Task" }
                    th scope="col" { "Since" } th scope="col" { "Computer" }
                } }
                tbody { @for Doing { last, since } in doing { tr {
                    th.text scope="row" { (visitor.person(last.employee_id, name(last.employee_id))) }
                    td.text { (lanes::project(told, last.project_id)) }
                    td.text { (lanes::task(told, last.task_id)) }
                    td {
                        @match since {
                            Some(since) => (visitor.reader.time(*since)),
                            None => { "over " (LOOK_BACK / HOUR) " hours" }
                        }
                    }
                    td.text { (last.computer) }
                } } }
            }
        }
    }
}

/// What there is to do, each as a sentence.
fn needs(reader: &Reader, held: Option<(usize, bool)>, unsent: usize, silent: &[&Employee]) -> Markup {
    let held = held.filter(|(count, _)| *count > 0);
    html! {
        @if held.is_none() && unsent == 0 && silent.is_empty() {
            p.empty { "Nothing: all hours that came in are counted, and all invitations are on their way." }
        } @else {
            ul {
                @if let Some((count, has_more)) = held {
                    li { (reader.count(count)) @if has_more { " or more" } @if count == 1 { " window of time is" } @else { " windows of time are" } " held back until somebody decides about it." }
                }
                @if unsent > 0 { li { (reader.count(unsent)) " invitations could not be delivered." } }
                @if !silent.is_empty() {
                    li {
                        "Nothing has come for " (SILENT) " days from "
                        @for (position, employee) in silent.iter().take(10).enumerate() {
                            @if position > 0 { ", " }
                            (employee.name)
                        }
                        @if silent.len() > 10 { " and " (reader.count(silent.len() - 10)) " others" }
                        ", who used to track."
                    }
                }
            }
        }
    }
}

/// Whether the mail of somebody's invitation has not gone out.
pub(super) fn is_unsent(employee: &Employee) -> bool {
    let state = employee.invitation.as_ref().map(|invitation| invitation.state);
    matches!(state, Some(DeliveryState::Retrying | DeliveryState::Failed))
}

/// All rows together.
struct Sums {
    time: i64,
    costs: Cents,
    income: Cents,
}

fn sums(rows: &[TimeRow]) -> Sums {
    let add = |of: fn(&TimeRow) -> i64| rows.iter().map(of).sum();
    Sums { time: add(|row| row.time), costs: Cents(add(|row| row.costs.0)), income: Cents(add(|row| row.income.0)) }
}
