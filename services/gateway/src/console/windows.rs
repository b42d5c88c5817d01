//! The page of an employee's windows in a part of a day.

use axum::response::Response;
use contracts::{EmployeeId, Failure, Filter, HOUR, ListWindows, Resource, Scope, TimeRange};
use maud::{Markup, html};

use super::{lanes, notice::notice, places, visitor::Visitor};
use crate::extract::Params;

/// The largest number of windows that are listed.
const MOST: usize = 1_000;
/// The number of minutes in the longest day, on which clocks are set back an hour.
const MINUTES: i64 = 25 * 60;

/// Shows the page. Visitors without the scope for all employees see only their own windows.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::WINDOWS, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let (day, range, _) = visitor.day(params)?;
    let employee: EmployeeId = params.get("employee", "must be the id of an employee")?.unwrap_or(visitor.employee);
    if visitor.asker.own().is_some_and(|own| own != employee) {
        return Err(Failure::not_found("employee"));
    }
    let minute = |name: &str, unless: i64| {
        let minutes = params.whole::<i64>(name, "must be minutes of the day")?.unwrap_or(unless);
        Ok::<_, Failure>(range.start() + minutes.clamp(0, MINUTES) * (HOUR / 60))
    };
    let asked = TimeRange::new(minute("from", 0)?, minute("to", MINUTES)?).map_err(|e| Failure::field("to", e))?;
    let asked = asked.clip(range).unwrap_or(range);
    let filter = Filter { employees: vec![employee], ..Filter::default() };
    let (windows, has_more) =
        visitor.first(ListWindows { range: asked, filter, after: None, limit: None }, MOST).await?;
    let mut ids = lanes::ids_of(&windows);
    ids.employees.insert(employee);
    let names = visitor.names(ids).await;
    let name = names.employees.get(&employee).map_or("somebody", contracts::Name::as_str);
    let back = if visitor.asker.own().is_some() { &places::MY_DAY } else { &places::DAY };
    let (may_change, is_own) = (visitor.may(Scope::write(Resource::Time)), employee == visitor.employee);
    let ask = |id| format!("{}?window={id}", visitor.address(places::ASK.path));
    Ok(html! {
        (notice(params))
        p {
            (name) ", " (reader.moment(asked.start())) " to " (reader.time(asked.end())) ". "
            a href={ (visitor.address(back.path)) "?day=" (day) } { "The whole day" }
        }
        @if windows.is_empty() {
            section { p.empty { "No time is recorded there." } }
        } @else {
            @if has_more { p.error { "These are the first " (reader.count(MOST)) "." } }
            section.wide tabindex="0" role="region" aria-label="Windows" {
                table {
                    thead { tr {
                        th scope="col" { "From – to" } th scope="col" { "Project" } th scope="col" { "Task" }
                        th scope="col" { "Computer" } th scope="col" { "Note" } th.number scope="col" { "Counts" }
                        @if may_change || is_own { th scope="col" { "Correct" } }
                    } }
                    tbody { @for window in &windows { tr {
                        td { (reader.time(window.start)) "–" (reader.time(window.end)) }
                        td.text { (lanes::project(&names, window.project_id)) }
                        td.text { (lanes::task(&names, window.task_id)) }
                        td.text { (window.computer) }
                        td.text { @if let Some(note) = &window.note { (note) } }
                        td.number { (reader.hours(window.end - window.start - window.negative_time)) }
                        @if may_change { td { a href=(visitor.address(&places::window(window.id))) { "Correct or void" span.unseen { " the window of " (reader.time(window.start)) } } } }
                        @else if is_own { td { a href=(ask(window.id)) { "Ask for a correction" span.unseen { " of the window of " (reader.time(window.start)) } } } }
                    } } }
                }
            }
        }
    })
}
