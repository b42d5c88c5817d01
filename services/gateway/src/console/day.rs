//! The page of the work of all employees on one day.

use axum::response::Response;
use contracts::{Failure, Resource, Scope};
use futures::join;
use maud::{Markup, html};

use super::{lanes, places, visitor::Visitor};
use crate::extract::Params;

/// The number of employees on one page of the list.
const PEOPLE: usize = 50;

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::DAY, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let (day, range, today) = visitor.day(params)?;
    let roster = visitor.roster_with(params, range, PEOPLE, |people| lanes::worked(visitor, range, people));
    let (roster, likely) = join!(roster, visitor.likely_names());
    let (pager, named, (worked, has_more)) = roster?;
    let steps = lanes::steps(visitor, places::DAY.path, day, today);
    if named.is_empty() {
        return Ok(html! {
            (steps)
            section { p.empty { "Nobody has been with you on " (visitor.reader.date(day)) ": invite people first." } }
        });
    }
    let named = named.into_iter().map(|person| (person.id, person.name.to_string())).collect();
    let people = lanes::people(named, worked);
    let names = visitor.names_beside(likely, lanes::ids_in(&people)).await;
    Ok(html! {
        (steps)
        section {
            @if people.iter().all(|person| person.lane.is_empty()) {
                p.empty { "Nobody" @if pager.is_long() { " of this page" } " has recorded time on " (visitor.reader.date(day)) "." }
            } @else {
                @if has_more { p.error { "There is more on this day than can be drawn: the hours of some people are missing here. Reports count all of them." } }
                (lanes::drawn(visitor, day, range, &people, &names))
                @if visitor.may(Scope::read(Resource::Analytics)) {
                    @let address = visitor.address(places::REPORTS.path);
                    p { a href={ (address) "?from=" (day) "&to=" (day) "&groupBy=employee&groupBy=project" } { "What this day costs" } }
                }
            }
        }
        (pager.links(visitor))
    })
}
