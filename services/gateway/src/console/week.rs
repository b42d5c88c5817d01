//! The page of the hours of employees by day, for a week or a month.

use std::collections::BTreeMap;

use axum::response::Response;
use contracts::{EmployeeId, Failure, Filter, GetTime, Grouping, HOUR, TimeRow};
use futures::try_join;
use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};

use super::{places, reader::Reader, visitor::Visitor};
use crate::extract::Params;

/// The number of employees on one page of the list.
const PEOPLE: usize = 50;
/// The largest number of days that are shown.
const MOST: usize = 31;

/// Whether the page shows a week or a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Week,
    Month,
}

impl Span {
    fn word(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day of the week or month that contains `day`, and the first day of the next one.
    fn around(self, day: Date, reader: &Reader) -> Option<(Date, Date)> {
        let (first, length) = match self {
            Self::Week => (reader.week(day), 7.days()),
            Self::Month => (day.first_of_month(), 1.month()),
        };
        Some((first, first.checked_add(length).ok()?))
    }
}

/// Shows the page.
pub(super) async fn show(visitor: Visitor, params: Params) -> Response {
    let content = content(&visitor, &params).await;
    visitor.page(&places::WEEK, content)
}

async fn content(visitor: &Visitor, params: &Params) -> Result<Markup, Failure> {
    let reader = &visitor.reader;
    let (day, _, today) = visitor.day(params)?;
    let span = match params.get::<String>("span", "")?.as_deref() {
        None | Some("week") => Span::Week,
        Some("month") => Span::Month,
        Some(_) => return Err(Failure::field("span", "must be week or month")),
    };
    let misfit = || Failure::field("day", "must be a day of the calendar");
    let (first, next) = span.around(day, reader).ok_or_else(misfit)?;
    let count = (next - first).get_days();
    let range = reader.days(first, count).ok_or_else(misfit)?;
    let days: Vec<Date> = (0..count).filter_map(|n| first.checked_add(n.days()).ok()).collect();
    let ask = |by: &[Grouping], filter: Filter| GetTime {
        range,
        group_by: by.iter().copied().collect(),
        timezone: reader.zone.clone(),
        filter,
        after: None,
    };
    let of_page = async {
        let rows = |employees: Vec<EmployeeId>| {
            let asked = (!employees.is_empty()).then(|| {
                let filter = Filter { employees, ..Filter::default() };
                visitor.first(ask(&[Grouping::Day, Grouping::Employee], filter), PEOPLE * 31)
            });
            async move {
                match asked {
                    Some(rows) => Ok(rows.await?.0),
                    None => Ok(Vec::new()),
                }
            }
        };
        visitor.roster_with(params, range, PEOPLE, rows).await
    };
    let ((pager, people, rows), (by_day, _)) =
        try_join!(of_page, visitor.first(ask(&[Grouping::Day], Filter::default()), MOST))?;
    let steps = steps(visitor, span, day, (first, next), today);
    if by_day.is_empty() {
        return Ok(html! {
            (steps)
            section { p.empty { "Nobody has recorded time in this " (span.word()) "." } }
        });
    }
    let cells = cells(&rows);
    let total = |id: EmployeeId| cells.range((id, Date::MIN)..=(id, Date::MAX)).map(|(_, time)| time).sum::<i64>();
    let of_days: BTreeMap<Date, i64> = by_day.iter().filter_map(|row| Some((row.day?, row.time))).collect();
    let all: i64 = of_days.values().sum();
    let day_link = |day: Date| format!("{}?day={day}", visitor.address(places::DAY.path));
    let cell = |time: i64| html! { td class={ "number " (shade(time)) } { @if time > 0 { (reader.hours(time)) } } };
    Ok(html! {
        (steps)
        section.wide tabindex="0" role="region" aria-label="Hours of people by day" {
            table {
                caption { (reader.date(first)) " to " (reader.date(next.yesterday().unwrap_or(next))) ", " (reader.hours(all)) " hours" }
                thead { tr {
                    th scope="col" { "Who" }
                    @for day in &days {
                        th.number scope="col" { a href=(day_link(*day)) { (weekday(*day)) " " (day.day()) } }
                    }
                    th.number scope="col" { "All" }
                } }
                tbody { @for person in &people { tr {
                    th.text scope="row" { (visitor.person(person.id, person.name.as_str())) }
                    @for day in &days { (cell(cells.get(&(person.id, *day)).copied().unwrap_or_default())) }
                    td.number { (reader.hours(total(person.id))) }
                } } }
                tfoot { tr {
                    th scope="row" { "Everybody" }
                    @for day in &days { td.number { (reader.hours(of_days.get(day).copied().unwrap_or_default())) } }
                    td.number { (reader.hours(all)) }
                } }
            }
        }
        (pager.links(visitor))
    })
}

fn cells(rows: &[TimeRow]) -> BTreeMap<(EmployeeId, Date), i64> {
    rows.iter().filter_map(|row| Some(((row.employee?, row.day?), row.time))).collect()
}

/// The CSS class of a cell with this time in milliseconds. More time gives a darker cell.
pub(super) fn shade(time: i64) -> &'static str {
    match time {
        ..=0 => "h0",
        time if time < 2 * HOUR => "h1",
        time if time < 5 * HOUR => "h2",
        time if time < 8 * HOUR => "h3",
        _ => "h4",
    }
}

/// The first three letters of a day's name.
fn weekday(day: Date) -> String {
    let mut name = format!("{:?}", day.weekday());
    name.truncate(3);
    name
}

fn steps(visitor: &Visitor, span: Span, day: Date, (first, next): (Date, Date), today: Date) -> Markup {
    let path = visitor.address(places::WEEK.path);
    let to = |day: Date, span: Span| format!("{path}?day={day}&span={}", span.word());
    let other = if span == Span::Week { Span::Month } else { Span::Week };
    html! {
        form.row method="get" action=(path) {
            @if let Ok(before) = first.yesterday() { a.button.quiet href=(to(before, span)) { "The " (span.word()) " before" } }
            @if next <= today { a.button.quiet href=(to(next, span)) { "The " (span.word()) " after" } }
            a.button.quiet href=(to(day, other)) { "As a " (other.word()) }
            label { "Day " input type="date" name="day" value=(day) required; }
            input type="hidden" name="span" value=(span.word());
            button type="submit" { "Show" }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use contracts::Settings;

    use super::*;

    #[test]
    fn a_span_holds_its_day_and_ends_where_the_next_one_begins() {
        let date = jiff::civil::date;
        let reader = Reader::of(&HeaderMap::new(), &Settings::default());
        assert_eq!(Span::Week.around(date(2026, 3, 1), &reader), Some((date(2026, 2, 23), date(2026, 3, 2))));
        assert_eq!(Span::Month.around(date(2026, 2, 28), &reader), Some((date(2026, 2, 1), date(2026, 3, 1))));
        assert_eq!(Span::Month.around(date(2026, 12, 31), &reader), Some((date(2026, 12, 1), date(2027, 1, 1))));
        assert_eq!(Span::Week.around(Date::MAX, &reader), None);
    }
}
