//! The page of the visitor's own day and week.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{
    Adjustment, Caller, Code, Failure, Filter, GetEmployee, GetTime, Grouping, ListQuarantine, QuarantinedWindow,
};
use futures::try_join;
use jiff::ToSpan;
use maud::{Markup, html};

use super::{
    adjustments,
    charts::{Bar, Figure, bars, figure},
    correction, lanes, my_periods,
    notice::notice,
    places,
    visitor::Visitor,
};
use crate::{extract::Params, names::KnownNames};

/// The largest number of quarantined windows that are listed. The latest ones are listed.
const SET_ASIDE: usize = 50;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::MY_DAY, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let (day, range, today) = visitor.day(params)?;
    let first = reader.week(day);
    let week = reader.days(first, 7).ok_or_else(|| Failure::field("day", "must be a day of the calendar"))?;
    let filter = Filter { employees: vec![visitor.employee], ..Filter::default() };
    let by_day = GetTime {
        range: week,
        group_by: BTreeSet::from([Grouping::Day]),
        timezone: reader.zone.clone(),
        filter,
        after: None,
    };
    // The page shows the visitor's own data, whatever their role.
    let (own, myself) = (Caller::Employee(visitor.employee), GetEmployee { id: visitor.employee });
    let held = ListQuarantine { employee: Some(visitor.employee), ..ListQuarantine::default() };
    let discarded = ListQuarantine { decided: true, ..held };
    let periods = async { Ok(my_periods::latest(visitor).await) };
    let (me, held, decided, (worked, _), rows, asked, periods) = try_join!(
        visitor.app.ask(own, &myself),
        visitor.app.ask(own, &held),
        visitor.app.ask(own, &discarded),
        lanes::worked(visitor, range, vec![visitor.employee]),
        visitor.ask(by_day),
        correction::asked_so_far(visitor),
        periods,
    )?;
    let people = lanes::people(vec![(me.id, me.name.to_string())], worked);
    let late: Vec<Adjustment> = periods.iter().flat_map(|period| period.late.clone()).collect();
    let settings = visitor.app.organisation.settings().await;
    let (held, mut discarded) = (held.items, decided.items);
    discarded.retain(|window| window.recorded_as.is_none());
    let mut ids = lanes::ids_in(&people);
    ids.projects.extend(held.iter().chain(&discarded).map(|held| held.window.project_id));
    ids.tasks.extend(held.iter().chain(&discarded).map(|held| held.window.task_id));
    let corrected = correction::ids_of(&asked);
    ids.projects.extend(corrected.projects);
    ids.tasks.extend(corrected.tasks);
    adjustments::want(&mut ids, &late);
    let names = visitor.names(ids).await;
    let days: Vec<Bar> = (0..7)
        .filter_map(|n| first.checked_add(n.days()).ok())
        .map(|date| {
            let value = rows.items.iter().find(|row| row.day == Some(date)).map_or(0, |row| row.time);
            Bar { label: format!("{:?} {}", date.weekday(), reader.date(date)), value, shown: reader.hours(value) }
        })
        .collect();
    let total: i64 = days.iter().map(|day| day.value).sum();
    let table = html! {
        table {
            thead { tr { th scope="col" { "Day" } th.number scope="col" { "Hours" } } }
            tbody { @for day in &days { tr { th scope="row" { (day.label) } td.number { (day.shown) } } } }
            tfoot { tr { th scope="row" { "All" } td.number { (reader.hours(total)) } } }
        }
    };
    let sentence = format!("{} hours in this week.", reader.hours(total));
    let ask = format!("{}?day={day}", visitor.address(places::ASK.path));
    Ok(html! {
        (notice(params))
        p { "Hello " (me.name) "." }
        (lanes::steps(visitor, places::MY_DAY.path, day, today))
        section {
            @if people.iter().all(|person| person.lane.is_empty()) {
                p.empty { "No time is recorded on " (reader.date(day)) ". What you track in the desktop app shows here a few seconds later." }
            } @else {
                (lanes::drawn(visitor, day, range, &people, &names))
                p.hint { "Something is wrong with it? Choose it, and ask for a correction." }
            }
            p { a.button.quiet href=(ask) { "A time is missing" } }
        }
        @if !asked.is_empty() { (correction::listed(visitor, &asked, &names)) }
        @if !held.is_empty() { (held_back(visitor, &held, &names)) }
        @if !discarded.is_empty() { (not_counted(visitor, &discarded, &names)) }
        @if !periods.is_empty() { (my_periods::shown(visitor, &settings.timezone, &periods)) }
        (adjustments::section(visitor, &late, &names, "Hours that came late", false))
        section { (figure(Figure { title: "The week", sentence: &sentence, drawing: bars(&days), table })) }
    })
}

/// Explains to the employee why a window is quarantined.
fn why(code: Code) -> &'static str {
    match code {
        Code::NotOnProject => "You were not on this project then. Ask whoever leads it whether you should have been.",
        Code::NotOnTask => {
            "You were not on this task then. Ask whoever leads the project whether you should have been."
        }
        Code::ProjectArchived => "The project was archived then. Ask whoever leads it whether the work was meant.",
        Code::UnknownProject | Code::UnknownTask => {
            "Nobody here knows this project or task. It may have been deleted before the app knew."
        }
        Code::ClockAhead => {
            "Your computer's clock runs ahead. The hours are counted by themselves when their time has come: set the clock right."
        }
        Code::PeriodLocked => "Its time was settled already when it came in. Somebody decides how it counts.",
        Code::ClockBehind => {
            "Your computer's clock runs far behind. Set it right, and tell an admin when you really worked."
        }
        Code::Conflict => "Other hours have come under the same id. An admin decides which of them count.",
        Code::EmployeeDeactivated => "Your account was deactivated then.",
        _ => "A rule says no. An admin decides about it.",
    }
}

fn held_back(visitor: &Visitor, held: &[QuarantinedWindow], names: &KnownNames) -> Markup {
    html! {
        section {
            h2 { "Held back" }
            p { "These hours came in and are safe, but do not count yet. An admin sees them too and decides." }
            ul.cards { @for window in held.iter().rev().take(SET_ASIDE) { li {
                p { strong { (line(visitor, window, names)) } }
                p { (why(window.code)) @if window.waiting { " It is checked again by itself." } }
            } } }
        }
    }
}

fn not_counted(visitor: &Visitor, discarded: &[QuarantinedWindow], names: &KnownNames) -> Markup {
    html! {
        section {
            details {
                summary { "Discarded (" (visitor.reader.count(discarded.len())) ")" }
                p { "An admin has decided that these hours do not count. If that is wrong, talk to them: nothing is thrown away." }
                ul.cards { @for window in discarded.iter().rev().take(SET_ASIDE) { li {
                    p { strong { (line(visitor, window, names)) } }
                    p { (why(window.code)) }
                } } }
            }
        }
    }
}

fn line(visitor: &Visitor, held: &QuarantinedWindow, names: &KnownNames) -> String {
    let (reader, window) = (&visitor.reader, &held.window);
    let (project, task) = (lanes::project(names, window.project_id), lanes::task(names, window.task_id));
    format!("{}–{}, {project}, {task}, {}", reader.moment(window.start), reader.time(window.end), window.computer)
}
