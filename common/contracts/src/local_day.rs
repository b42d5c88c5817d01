//! When the days of a time zone begin.

use jiff::{
    Timestamp,
    civil::Date,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::{Millis, TimeRange, Zone};

/// The moments that the calendar supports, in milliseconds since 1970 UTC: the years 1970 to 9998.
pub const CALENDAR: std::ops::Range<i64> = 0..253_370_764_800_000;

/// The local day of a moment: the last day that has begun by then. If the clock is set back from
/// the new day into the old one, the moments after that still belong to the new day.
pub fn day_of(at: Millis, zone: &TimeZone) -> Date {
    let shown = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap_or_default()).date();
    match shown.tomorrow() {
        Ok(next) if beginning(next, zone) <= at => next,
        _ => shown,
    }
}

/// The first moment of a day: its first midnight; if the clock skips midnight, the moment of the
/// skip.
pub fn beginning(date: Date, zone: &TimeZone) -> Millis {
    let midnight = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
    let skipped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
    // A date that the calendar does not support begins at the end of the calendar.
    let Ok(found) = midnight.compatible() else { return Millis(CALENDAR.end) };
    let found = Millis(found.as_millisecond());
    if !skipped {
        return found;
    }
    let after = Timestamp::from_millisecond(found.0 + 1).unwrap_or_default();
    zone.preceding(after).next().map_or(found, |skip| Millis(skip.timestamp().as_millisecond()))
}

impl Zone {
    /// The local day of a moment, by [`day_of`].
    pub fn day(&self, at: Millis) -> Date {
        day_of(at, self.rules())
    }

    /// The first moment of a day, by [`beginning`].
    pub fn beginning(&self, date: Date) -> Millis {
        beginning(date, self.rules())
    }

    /// The local days that a range touches, in order. Each comes with its first moment that is in
    /// the range.
    pub fn days_of(&self, range: TimeRange) -> impl Iterator<Item = (Date, Millis)> {
        let mut next = Some((self.day(range.start()), range.start()));
        std::iter::from_fn(move || {
            let this = next?;
            let tomorrow = this.0.tomorrow().ok().map(|day| (day, self.beginning(day)));
            next = tomorrow.filter(|(_, begins)| *begins < range.end());
            Some(this)
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::{DAY, HOUR};

    fn zone(name: &str) -> Zone {
        name.parse().expect("a zone")
    }

    #[test]
    fn a_range_over_midnight_touches_two_days_and_one_that_ends_there_only_the_first() {
        let berlin = zone("Europe/Berlin");
        let midnight = berlin.beginning(date(2026, 3, 2));
        let days = |start, end| {
            let range = TimeRange::new(midnight + start, midnight + end).expect("a range");
            berlin.days_of(range).map(|(day, from)| (day.day(), from - midnight)).collect::<Vec<_>>()
        };
        assert_eq!(days(-2 * HOUR, 2 * HOUR), [(1, -2 * HOUR), (2, 0)]);
        assert_eq!(days(-2 * HOUR, 0), [(1, -2 * HOUR)]);
        assert_eq!(days(0, 1), [(2, 0)]);
    }

    proptest! {
        #[test]
        fn every_moment_lies_between_the_beginnings_of_its_day_and_the_next(
            at in 0..4_000_000_000_000i64,
            name in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
        ) {
            let (zone, at) = (zone(name), Millis(at));
            let day = zone.day(at);
            prop_assert!(zone.beginning(day) <= at);
            let next = day.tomorrow().expect("a day");
            prop_assert!(at < zone.beginning(next), "{day}");
            let range = TimeRange::new(at, at + DAY).expect("a range");
            let touched: Vec<_> = zone.days_of(range).collect();
            prop_assert!(touched.is_sorted() && (1..=3).contains(&touched.len()), "{touched:?}");
        }
    }
}
