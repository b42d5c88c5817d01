//! The work of all employees on a day.

use axum::response::Response;
use contracts::{Failure, Filter, ListWindows, Resource, Scope};
use maud::{Markup, html};

use super::{lanes, places, visitor::Visitor};
use crate::extract::Params;

/// The number of employees on a page.
const PEOPLE: usize = 50;
/// The most windows that are drawn.
const WINDOWS: usize = 10_000;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::DAY, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let (day, range, today) = visitor.day(params)?;
    let (pager, named) = visitor.roster(params, range, PEOPLE).await?;
    let steps = lanes::steps(visitor, places::DAY.path, day, today);
    if named.is_empty() {
        return Ok(html! {
            (steps)
            section { p.empty { "Nobody has been with you on " (visitor.reader.date(day)) ": invite people first." } }
        });
    }
    let filter = Filter { employees: named.iter().map(|person| person.id).collect(), ..Filter::default() };
    let (windows, has_more) = visitor.first(ListWindows { range, filter, after: None, limit: None }, WINDOWS).await?;
    let told = visitor.names(lanes::ids_of(&windows)).await;
    let named = named.into_iter().map(|person| (person.id, person.name.to_string())).collect();
    let people = lanes::people(named, &windows, range);
    Ok(html! {
        (steps)
        section {
            @if windows.is_empty() {
                p.empty { "Nobody" @if pager.is_long() { " of this page" } " has recorded time on " (visitor.reader.date(day)) "." }
            } @else {
                @if has_more { p.error { "There is more on this day than can be drawn: the latest hours are missing here. Reports count all of them." } }
                (lanes::drawn(visitor, day, range, &people, &told))
                @if visitor.may(Scope::read(Resource::Analytics)) {
                    @let address = visitor.address(places::REPORTS.path);
                    p { a href={ (address) "?from=" (day) "&to=" (day) "&groupBy=employee&groupBy=project" } { "What this day costs" } }
                }
            }
        }
        (pager.links(visitor))
    })
}
