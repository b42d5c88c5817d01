//! The page of the pay periods of all employees: their states and sums, and the forms that approve
//! them.

use std::{collections::BTreeMap, time::Duration};

use axum::response::Response;
use contracts::{
    ApprovePeriod, Caller, Conditional, EmployeeId, Failure, GetSettings, GetTeamMembers, Given, IfMatch,
    ListQuarantine, ListTeams, NOBODY, Note, PaySpan, PeriodId, PeriodStatus, QuarantinedWindow, ReopenPeriod,
    Resource, Scope, SendBackPeriod, Settings, Tag, TeamId, TimeMark,
};
use futures::{StreamExt, stream, try_join};
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    errors, no_rate,
    notice::{Done, notice},
    pages::Pager,
    pay_periods::{decide, has_anything, has_changed, linked_state, may_decide, sums, sums_named},
    places,
    visitor::Visitor,
};
use crate::{
    error::Problem,
    extract::{Form, Params},
    names::Ids,
    periods::{self, Period},
};

/// The number of employees on one page of the list.
const PEOPLE: usize = 200;
/// The largest number of quarantined windows that are read.
const HELD: usize = 5_000;
/// The largest number of periods that one form approves.
const MOST: usize = 1_000;
/// The number of approvals that run concurrently.
const AT_ONCE: usize = 8;
/// The time limit for one approval.
const PATIENCE: Duration = Duration::from_secs(25);

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::APPROVALS, content)
}

/// The form with the periods to approve, each with the [`Period::hash`] that the page showed, and
/// with the page to return to.
#[derive(Deserialize)]
pub(super) struct Seen {
    periods: Option<String>,
    from: Option<String>,
}

/// Approves the periods in the form. A period that has changed since the page was shown is refused.
pub(super) async fn approve(visitor: Visitor, Form(seen): Form<Seen>) -> Result<Response, Problem> {
    let seen_periods = read(seen.periods.as_deref().unwrap_or_default())?;
    let approvals = seen_periods.into_iter().map(|(id, hash)| {
        let if_match = IfMatch(Some(vec![Tag::sent(&hash.to_string())]));
        let request = Conditional { change: ApprovePeriod { id }, if_match };
        visitor.asker.ask_within(&visitor.app, PATIENCE, request)
    });
    let outcomes: Vec<_> = stream::iter(approvals).buffer_unordered(AT_ONCE).collect().await;
    // One failed approval does not stop the others. Only the first failure is shown.
    match outcomes.into_iter().find_map(Result::err) {
        Some(failure) => Ok(visitor.failed(&failure)),
        None => Ok(back(seen.from.as_deref(), Done::Approved)),
    }
}

fn read(text: &str) -> Result<Vec<(PeriodId, TimeMark)>, Failure> {
    let misfit = || Failure::field("periods", "must be periods, each with its hash");
    let one = |pair: &str| {
        let (id, hash) = pair.split_once('@')?;
        Some((id.parse().ok()?, hash.parse().ok()?))
    };
    let all: Option<Vec<_>> = text.split(' ').filter(|pair| !pair.is_empty()).map(one).collect();
    all.filter(|all| (1..=MOST).contains(&all.len())).ok_or_else(misfit)
}

/// The form with a note about one period.
#[derive(Deserialize)]
pub(super) struct Said {
    id: Option<String>,
    note: Option<String>,
    from: Option<String>,
}

impl Said {
    fn read(&self) -> Result<(PeriodId, Note), Failure> {
        let id = self.id.as_deref().unwrap_or_default().parse().map_err(|e| Failure::field("id", e))?;
        let note = Note::given(self.note.as_deref().unwrap_or_default()).map_err(|e| Failure::field("note", e))?;
        Ok((id, note))
    }
}

/// Returns a submitted period to its employee, with a note.
pub(super) async fn send_back(visitor: Visitor, Form(said): Form<Said>) -> Result<Response, Problem> {
    let (id, note) = said.read()?;
    Ok(match visitor.ask(SendBackPeriod { id, note }).await {
        Ok(_) => back(said.from.as_deref(), Done::SentBack),
        Err(failure) => visitor.failed(&failure),
    })
}

/// Reopens an approved period.
pub(super) async fn reopen(visitor: Visitor, Form(said): Form<Said>) -> Result<Response, Problem> {
    let (id, reason) = said.read()?;
    Ok(match visitor.ask(ReopenPeriod { id, reason }).await {
        Ok(_) => back(said.from.as_deref(), Done::Reopened),
        Err(failure) => visitor.failed(&failure),
    })
}

/// Redirects to the page that had the form, with a notice.
fn back(from: Option<&str>, done: Done) -> Response {
    let pairs: Vec<(&str, &str)> = from
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(_, value)| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        .collect();
    let person = pairs.iter().find(|(name, _)| *name == "person").and_then(|(_, id)| id.parse().ok());
    if let Some(id) = person {
        return errors::see(&places::person_after(id, done));
    }
    let kept = pairs.into_iter().filter(|(name, _)| ["day", "team", "page"].contains(name));
    let kept: String = kept.map(|(name, value)| format!("&{name}={value}")).collect();
    errors::see(&(places::after(places::APPROVALS.path, done) + &kept))
}

/// The value of the field `from` in a form on an employee's page.
pub(super) fn from_person(id: EmployeeId) -> String {
    format!("person={id}")
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let settings = visitor.app.ask(Caller::Service, &GetSettings {}).await?;
    let today = contracts::day_of(visitor.app.clock.now(), settings.timezone.rules());
    let day: Option<Date> = params.get("day", "must be a day such as 2026-03-01")?;
    // Without `day`, the page shows the last period that has ended.
    let current = settings.pay_period_of(today);
    let span = match day {
        Some(day) => settings.pay_period_of(day),
        None => settings.pay_period_of(current.first.yesterday().unwrap_or(current.first)),
    };
    let team: Option<TeamId> = params.get("team", "must be the id of a team")?;
    let teams = async {
        if visitor.may(Scope::read(Resource::Teams)) {
            Ok::<_, Failure>(visitor.first(ListTeams::default(), 1_000).await?.0)
        } else {
            Ok(Vec::new())
        }
    };
    let held = async {
        if visitor.may(Scope::read(Resource::Time)) {
            Ok::<_, Failure>(visitor.first(ListQuarantine::default(), HELD).await?.0)
        } else {
            Ok(Vec::new())
        }
    };
    let (all, held, teams) = try_join!(list(visitor, span, team), held, teams)?;
    let held = exceptions(&held, span);
    let ids = Ids { employees: all.iter().map(|period| period.employee_id).collect(), ..Ids::default() };
    let names = visitor.names(ids).await;
    let name = |id| names.employees.get(&id).map_or("somebody without a name", contracts::Name::as_str);
    let mut all: Vec<Period> = all.into_iter().filter(|period| is_worth_a_line(period, &held)).collect();
    all.sort_by_cached_key(|period| (rank(period.status), name(period.employee_id).to_lowercase(), period.id));
    let from = visitor.here.split_once('?').map_or("", |(_, query)| query);
    let is_clean = |period: &&Period| {
        period.status == PeriodStatus::Submitted
            && !has_changed(period)
            && !held.contains_key(&period.employee_id)
            && period.employee_id != visitor.employee
    };
    let clean: Vec<String> =
        all.iter().filter(is_clean).take(MOST).map(|period| format!("{}@{}", period.id, period.hash)).collect();
    let may_decide = may_decide(visitor);
    let pager = Pager::of(params, all.len(), PEOPLE)?;
    let waiting = all.iter().filter(|period| period.status == PeriodStatus::Submitted).count();
    let shown = pager.part(all);
    Ok(html! {
        (notice(params))
        p.row {
            a.button.quiet href=(visitor.address(places::LOCKS.path)) { "Locks" }
            @if visitor.may_open(places::PAY_RUNS.access) {
                a.button.quiet href=(visitor.address(places::PAY_RUNS.path)) { "Pay runs" }
            }
        }
        (steps(visitor, &settings, span, team))
        @if !teams.is_empty() {
            form.row method="get" action=(visitor.address(places::APPROVALS.path)) {
                input type="hidden" name="day" value=(span.first);
                label { "Team " select name="team" {
                    option value="" { "Everybody" }
                    @for one in &teams { option value=(one.id) selected[Some(one.id) == team] { (one.name) } }
                } }
                button type="submit" { "Show" }
            }
        }
        @if shown.is_empty() {
            section { p.empty { "Nobody has recorded time in this period." } }
        } @else {
            section {
                p { (visitor.reader.count(waiting)) " submitted." }
                @if may_decide && !clean.is_empty() {
                    form method="post" action=(visitor.address(places::APPROVE.path)) {
                        input type="hidden" name="periods" value=(clean.join(" "));
                        input type="hidden" name="from" value=(from);
                        button type="submit" { "Approve all that is clean (" (visitor.reader.count(clean.len())) ")" }
                    }
                    p.hint { "Clean is what is submitted, has not changed since, and has no hours that are held back." }
                }
            }
            section.wide tabindex="0" role="region" aria-label="Pay periods" {
                (table(visitor, &shown, &held, name, from, may_decide))
            }
            (no_rate::hint(visitor, shown.iter().map(|period| (period.time, period.costs))))
            (pager.links(visitor))
        }
    })
}

async fn list(visitor: &Visitor, span: PaySpan, team: Option<TeamId>) -> Result<Vec<Period>, Failure> {
    let mut employees = Vec::new();
    if let Some(team) = team {
        visitor.asker.require_sight_of(&[], &[team])?;
        employees = visitor.app.ask(Caller::Service, &GetTeamMembers { teams: vec![team] }).await?;
        if employees.is_empty() {
            employees.push(NOBODY);
        }
    }
    periods::list(&visitor.app, &visitor.asker, span.range, employees).await
}

/// The number of quarantined windows of each employee that overlap the pay period.
fn exceptions(held: &[QuarantinedWindow], span: PaySpan) -> BTreeMap<EmployeeId, usize> {
    let mut exceptions = BTreeMap::new();
    let touches =
        |held: &&QuarantinedWindow| held.window.start < span.range.end() && held.window.end > span.range.start();
    for held in held.iter().filter(touches) {
        *exceptions.entry(held.employee_id).or_default() += 1;
    }
    exceptions
}

/// Whether the list shows a period. A period is left out if it has no time, no adjustments and no
/// quarantined windows, and is neither submitted nor approved.
fn is_worth_a_line(period: &Period, held: &BTreeMap<EmployeeId, usize>) -> bool {
    has_anything(period) || held.contains_key(&period.employee_id)
}

const fn rank(status: PeriodStatus) -> u8 {
    match status {
        PeriodStatus::Submitted => 0,
        PeriodStatus::Open => 1,
        PeriodStatus::Approved => 2,
    }
}

/// The links to the previous and the next pay period.
fn steps(visitor: &Visitor, settings: &Settings, span: PaySpan, team: Option<TeamId>) -> Markup {
    let before = settings.pay_period_of(span.first.yesterday().unwrap_or(span.first));
    let next = settings.timezone.day(span.range.end());
    let to = |day: Date| {
        let team = team.map_or(String::new(), |team| format!("&team={team}"));
        format!("{}?day={day}{team}", visitor.address(places::APPROVALS.path))
    };
    let last = next.yesterday().unwrap_or(next);
    html! {
        nav.row aria-label="Pay periods" {
            a.button.quiet rel="prev" href=(to(before.first)) { "Before" }
            strong { (visitor.reader.date(span.first)) " – " (visitor.reader.date(last)) }
            a.button.quiet rel="next" href=(to(next)) { "After" }
        }
    }
}

fn table<'a>(
    visitor: &Visitor,
    shown: &[Period],
    held: &BTreeMap<EmployeeId, usize>,
    name: impl Fn(EmployeeId) -> &'a str,
    from: &str,
    may_decide: bool,
) -> Markup {
    let reader = &visitor.reader;
    html! {
        table {
            thead { tr {
                th scope="col" { "Who" } th scope="col" { "State" } (sums_named(&visitor.reader)) th.number scope="col" { "Held back" }
                @if may_decide { th scope="col" { "Decide" } }
            } }
            tbody { @for period in shown { tr {
                @let who = name(period.employee_id);
                th scope="row" { (visitor.person(period.employee_id, who)) }
                td.text { (linked_state(visitor, period)) }
                (sums(reader, period))
                td.number { @if let Some(count) = held.get(&period.employee_id) { a href=(visitor.address(places::ATTENTION.path)) { (reader.count(*count)) } } @else { "0" } }
                @if may_decide { td { (decide(visitor, period, who, from)) } }
            } } }
        }
    }
}
