use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};

use super::super::week::shade;

/// The width and height of a day's square with its margin, in SVG units.
const SIZE: usize = 12;

/// Draws a heat map with a square for each day and a column for each week. A square is darker when
/// more time was worked on its day.
pub(crate) fn year(first: Date, last: Date, days: &BTreeMap<Date, i64>, says: impl Fn(Date, i64) -> String) -> Markup {
    let dates: Vec<Date> =
        (0..).map_while(|n: i32| first.checked_add(n.days()).ok()).take_while(|day| *day <= last).collect();
    let weeks = dates.len().div_ceil(7).max(1);
    html! {
        div.wide.year tabindex="0" role="region" aria-label="Drawing of the year" {
            svg viewBox={ "0 0 " (weeks * SIZE) " " (7 * SIZE) } aria-hidden="true" {
                @for (place, day) in dates.iter().enumerate() {
                    @let time = days.get(day).copied().unwrap_or_default();
                    rect class=(shade(time)) x=(place / 7 * SIZE) y=(place % 7 * SIZE) width=(SIZE - 2) height=(SIZE - 2) rx="2" {
                        title { (says(*day, time)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_day_has_its_square_and_each_is_as_dark_as_it_was_long(
            times in proptest::collection::vec(0..14 * contracts::HOUR, 1..400),
        ) {
            let first = jiff::civil::date(2025, 1, 6);
            let day = |n: usize| first.checked_add(i32::try_from(n).expect("few").days()).expect("a day");
            let days: BTreeMap<Date, i64> = times.iter().enumerate().map(|(n, time)| (day(n), *time)).collect();
            let drawn = year(first, day(times.len() - 1), &days, |_, time| time.to_string()).into_string();
            let told: Vec<i64> =
                drawn.split("<title>").skip(1).filter_map(|part| part.split('<').next()?.parse().ok()).collect();
            prop_assert_eq!(&told, &times);
            for class in ["h0", "h1", "h2", "h3", "h4"] {
                let expected = times.iter().filter(|time| shade(**time) == class).count();
                prop_assert_eq!(drawn.matches(&format!("class=\"{class}\"")).count(), expected);
            }
        }
    }
}
