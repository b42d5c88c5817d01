//! What everybody did on a day.

use std::collections::BTreeSet;

use axum::response::Response;
use contracts::{Failure, Filter, GetTime, Grouping, ListWindows, Name};
use maud::{Markup, html};

use super::{lanes, pages::Pager, places, visitor::Visitor};
use crate::{extract::Params, names::Ids};

/// The people of one page.
const PEOPLE: usize = 50;
/// The most windows of theirs that are drawn.
const WINDOWS: usize = 10_000;

/// The page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::DAY, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let (day, range, today) = visitor.day(params)?;
    let time = GetTime {
        range,
        group_by: BTreeSet::from([Grouping::Employee]),
        timezone: visitor.reader.zone.clone(),
        filter: Filter::default(),
        after: None,
    };
    let (rows, _) = visitor.first(time, 10_000).await?;
    let told = visitor.names(Ids { employees: rows.iter().filter_map(|row| row.employee).collect(), ..Ids::default() });
    let told = told.await;
    let name = |id| told.employees.get(&id).map_or("somebody without a name", Name::as_str).to_owned();
    let mut named: Vec<_> = rows.iter().filter_map(|row| row.employee).map(|id| (id, name(id))).collect();
    named.sort_by_cached_key(|(id, name)| (name.to_lowercase(), *id));
    let pager = Pager::of(params, named.len(), PEOPLE)?;
    let named: Vec<_> = pager.part(named);
    let steps = lanes::steps(visitor, places::DAY.path, day, today);
    if named.is_empty() {
        return Ok(html! {
            (steps)
            section { p.empty { "Nobody has recorded time on " (visitor.reader.date(day)) "." } }
        });
    }
    let filter = Filter { employees: named.iter().map(|(id, _)| *id).collect(), ..Filter::default() };
    let (windows, has_more) = visitor.first(ListWindows { range, filter, after: None, limit: None }, WINDOWS).await?;
    let told = visitor.names(lanes::ids_of(&windows)).await;
    let people = lanes::people(named, &windows, range);
    Ok(html! {
        (steps)
        section {
            @if has_more { p.error { "There is more on this day than can be drawn: the latest hours are missing here. Reports count all of them." } }
            (lanes::drawn(visitor, day, range, &people, &told))
        }
        (pager.links(visitor))
    })
}
