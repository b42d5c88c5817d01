//! An employee's own day and week.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{Caller, Failure, Filter, GetEmployee, GetTime, Grouping, ListWindows};
use futures::try_join;
use jiff::ToSpan;
use maud::{Markup, html};

use super::{
    charts::{Bar, Figure, bars, figure},
    lanes, places,
    reader::monday,
    visitor::Visitor,
};
use crate::extract::Params;

/// The most windows of a day that are drawn.
const WINDOWS: usize = 2_000;

/// The page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::MY_DAY, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let (day, range, today) = visitor.day(params)?;
    let first = monday(day);
    let week = reader.days(first, 7).ok_or_else(|| Failure::field("day", "must be a day of the calendar"))?;
    let filter = Filter { employees: vec![visitor.employee], ..Filter::default() };
    let by_day = GetTime {
        range: week,
        group_by: BTreeSet::from([Grouping::Day]),
        timezone: reader.zone.clone(),
        filter: filter.clone(),
        after: None,
    };
    // Whatever their role is, this page is about themselves.
    let (own, myself) = (Caller::Employee(visitor.employee), GetEmployee { id: visitor.employee });
    let (me, (windows, _), rows) = try_join!(
        visitor.app.ask(own, &myself),
        visitor.first(ListWindows { range, filter, after: None, limit: None }, WINDOWS),
        visitor.ask(by_day),
    )?;
    let told = visitor.names(lanes::ids_of(&windows)).await;
    let people = lanes::people(vec![(me.id, me.name.to_string())], &windows, range);
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
    Ok(html! {
        p { "Hello " (me.name) "." }
        (lanes::steps(visitor, places::MY_DAY.path, day, today))
        section {
            @if windows.is_empty() {
                p.empty { "No time is recorded on " (reader.date(day)) ". What you track in the desktop app shows here a few seconds later." }
            } @else {
                (lanes::drawn(visitor, day, range, &people, &told))
            }
        }
        section { (figure(Figure { title: "The week", sentence: &sentence, drawing: bars(&days), table })) }
    })
}
