use std::collections::BTreeSet;

use contracts::{CALENDAR, Grouping, Millis, TimeRange, YearMonth, Zone};
use jiff::civil::{Date, Weekday};

/// A part of a report's range that has rows of its own. The range is divided at the start of each
/// local day, week and month that the report groups by. Without such a grouping, the bucket is the
/// whole range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) range: TimeRange,
    pub(crate) day: Option<Date>,
    /// The Monday of the week in the report's time zone.
    pub(crate) week: Option<Date>,
    pub(crate) month: Option<YearMonth>,
}

/// Divides a range at the start of each local day, week and month that the report groups by. The
/// buckets cover the whole range, except time outside of the calendar, where no windows can be.
pub(crate) fn buckets(range: TimeRange, by: &BTreeSet<Grouping>, zone: &Zone) -> Vec<Bucket> {
    let calendar = TimeRange::new(Millis(CALENDAR.start), Millis(CALENDAR.end));
    let Some(range) = calendar.ok().and_then(|calendar| range.clip(calendar)) else { return Vec::new() };
    let time = [Grouping::Day, Grouping::Week, Grouping::Month];
    if !time.iter().any(|unit| by.contains(unit)) {
        return vec![Bucket { range, day: None, week: None, month: None }];
    }
    let mut buckets = Vec::new();
    let (mut at, mut date) = (range.start(), zone.day(range.start()));
    while at < range.end() {
        let next = next_edge(date, by);
        let edge = next.map_or(range.end(), |next| zone.beginning(next).min(range.end()));
        // A day that the time zone skipped is an empty range, and gets no bucket.
        if let Ok(range) = TimeRange::new(at, edge) {
            buckets.push(Bucket {
                range,
                day: by.contains(&Grouping::Day).then_some(date),
                week: by.contains(&Grouping::Week).then(|| monday(date)),
                month: by.contains(&Grouping::Month).then(|| YearMonth::of(date)),
            });
        }
        (at, date) = (edge.max(at), next.unwrap_or(date));
    }
    buckets
}

/// The first date after this one on which a unit that the report groups by (day, week or month)
/// begins; none if it groups by none of them.
fn next_edge(date: Date, by: &BTreeSet<Grouping>) -> Option<Date> {
    let edge = |unit| match unit {
        Grouping::Day => date.tomorrow().ok(),
        Grouping::Week => date.nth_weekday(1, Weekday::Monday).ok(),
        Grouping::Month => date.last_of_month().tomorrow().ok(),
        Grouping::Project | Grouping::Task | Grouping::Employee => None,
    };
    by.iter().copied().filter_map(edge).min()
}

fn monday(date: Date) -> Date {
    let since = date.weekday().to_monday_zero_offset();
    date.checked_sub(jiff::Span::new().days(since)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use contracts::{DAY, HOUR, SECOND};
    use jiff::civil::date;

    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().expect("a zone")
    }

    /// The local days between two dates in this zone, each with its length in half hours.
    fn hours(name: &str, from: Date, to: Date) -> Vec<(Date, i64)> {
        let zone = zone(name);
        let range = TimeRange::new(zone.beginning(from), zone.beginning(to)).expect("a range");
        let buckets = buckets(range, &[Grouping::Day].into(), &zone);
        buckets.iter().filter_map(|b| Some((b.day?, b.range.length() / (HOUR / 2)))).collect()
    }

    #[test]
    fn a_day_is_as_long_as_the_zone_makes_it() {
        let (a, b, c) = (date(2025, 3, 29), date(2025, 3, 30), date(2025, 3, 31));
        assert_eq!(hours("Europe/Berlin", a, c), [(a, 48), (b, 46)]);
        let (a, b) = (date(2025, 4, 6), date(2025, 4, 7));
        assert_eq!(hours("Australia/Lord_Howe", a, b), [(a, 49)]);
        // Samoa skipped the 30th of December 2011.
        let (a, b, c) = (date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1));
        assert_eq!(hours("Pacific/Apia", a, c), [(a, 48), (b, 48)]);
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_where_the_clock_skips_it() {
        // In São Paulo in 2018, the clock was set from 00:00 to 01:00; in Toronto in 1919, from
        // 23:30 to 00:30.
        let (a, b, c) = (date(2018, 11, 3), date(2018, 11, 4), date(2018, 11, 5));
        assert_eq!(hours("America/Sao_Paulo", a, c), [(a, 48), (b, 46)]);
        let toronto = zone("America/Toronto");
        let length = toronto.beginning(date(1919, 3, 31)) - toronto.beginning(date(1919, 3, 30));
        assert_eq!(length, 47 * HOUR / 2);
    }

    #[test]
    fn where_midnight_comes_twice_the_day_begins_with_the_first() {
        // At 00:01 the clock was set back to 23:01, so midnight came twice.
        let (a, b, c) = (date(2006, 10, 28), date(2006, 10, 29), date(2006, 10, 30));
        assert_eq!(hours("America/St_Johns", a, c), [(a, 48), (b, 50)]);
        let st_johns = zone("America/St_Johns");
        let first = st_johns.beginning(b);
        assert_eq!(st_johns.day(first - 1), a);
        assert_eq!(st_johns.day(first + 600 * SECOND), b, "shown as 23:10 of the day before");
    }

    #[test]
    fn weeks_begin_on_monday_and_months_cut_them() {
        let by = [Grouping::Week, Grouping::Month].into();
        // The range is from Friday, 27 February 2026, to Wednesday, 4 March 2026.
        let start = Millis(20_511 * DAY);
        let range = TimeRange::new(start, start + 5 * DAY).expect("a range");
        let found = buckets(range, &by, &Zone::default());
        let of = |b: &Bucket| (b.week, b.month.map(|m| m.to_string()), b.range.length() / DAY);
        let (before, after) = (Some(date(2026, 2, 23)), Some(date(2026, 3, 2)));
        let months = (Some("2026-02".to_owned()), Some("2026-03".to_owned()));
        let expected = [(before, months.0, 2), (before, months.1.clone(), 1), (after, months.1, 2)];
        assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_widest_range_has_an_end() {
        let range = TimeRange::new(Millis(i64::MIN), Millis(i64::MAX)).expect("a range");
        assert_eq!(buckets(range, &[Grouping::Month].into(), &zone("Asia/Kathmandu")).len(), 8_029 * 12 + 1);
    }
}
