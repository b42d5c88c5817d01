//! The calendar of pay periods, as the settings of the organisation lay it out.

use jiff::{ToSpan, civil::Date};

use crate::{CALENDAR, Millis, PayPeriod, Settings, TimeRange, beginning, day_of};

/// A stretch of local days that is submitted, approved and paid as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaySpan {
    /// Its first day.
    pub first: Date,
    /// From the first moment of that day to the first moment of the next period.
    pub range: TimeRange,
}

impl Settings {
    /// The pay period that holds a local day.
    pub fn pay_period_of(&self, day: Date) -> PaySpan {
        self.pay_period_from(self.first_day(day))
    }

    /// The pay period that begins on this day, if one does.
    pub fn pay_period_on(&self, first: Date) -> Option<PaySpan> {
        (self.first_day(first) == first).then(|| self.pay_period_from(first))
    }

    /// The pay periods that a range touches, in order: together they hold all of it that has a calendar,
    /// and no moment twice.
    pub fn pay_periods(&self, range: TimeRange) -> impl Iterator<Item = PaySpan> + '_ {
        let calendar = TimeRange::new(Millis(CALENDAR.start), Millis(CALENDAR.end)).ok();
        let range = calendar.and_then(|calendar| range.clip(calendar));
        let first = range.map(|range| self.pay_period_of(day_of(range.start(), self.timezone.rules())));
        std::iter::successors(first, |last| Some(self.pay_period_from(self.next_first(last.first))))
            .take_while(move |span| range.is_some_and(|range| span.range.start() < range.end()))
    }

    fn pay_period_from(&self, first: Date) -> PaySpan {
        let rules = self.timezone.rules();
        let (start, next) = (beginning(first, rules), beginning(self.next_first(first), rules));
        // A period is a week long at least, and no zone has ever skipped one.
        let range = TimeRange::new(start, next).unwrap_or_else(|_| TimeRange::of_utc_day(start.utc_day()));
        PaySpan { first, range }
    }

    /// The first day of the period that holds a day.
    fn first_day(&self, day: Date) -> Date {
        let Some(length) = self.length_in_days() else {
            let of_month = Date::new(day.year(), day.month(), self.anchor.day()).unwrap_or(day.first_of_month());
            return if of_month <= day { of_month } else { of_month.saturating_sub(1.month()) };
        };
        let since = i64::from((day - self.anchor).get_days()).rem_euclid(length);
        day.saturating_sub(since.days())
    }

    fn next_first(&self, first: Date) -> Date {
        match self.length_in_days() {
            Some(days) => first.saturating_add(days.days()),
            None => first.saturating_add(1.month()),
        }
    }

    /// How many days a period has; nothing where it is a month.
    const fn length_in_days(&self) -> Option<i64> {
        match self.pay_period {
            PayPeriod::Week => Some(7),
            PayPeriod::Biweek => Some(14),
            PayPeriod::Month => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::{DAY, HOUR};

    fn settings(pay_period: PayPeriod, anchor: Date, zone: &str) -> Settings {
        let timezone = zone.parse().expect("a zone");
        Settings { timezone, pay_period, anchor, ..Settings::default() }
    }

    fn hours(settings: &Settings, first: Date) -> i64 {
        settings.pay_period_on(first).expect("a first day").range.length() / HOUR
    }

    #[test]
    fn a_period_is_as_long_as_the_zone_makes_its_days() {
        let weeks = settings(PayPeriod::Week, date(2026, 1, 5), "Europe/Berlin");
        assert_eq!(hours(&weeks, date(2026, 3, 16)), 7 * 24);
        assert_eq!(hours(&weeks, date(2026, 3, 23)), 7 * 24 - 1, "with a day of 23 hours");
        assert_eq!(hours(&weeks, date(2026, 10, 19)), 7 * 24 + 1, "with a day of 25 hours");
        let months = settings(PayPeriod::Month, date(2024, 2, 28), "America/New_York");
        assert_eq!(hours(&months, date(2026, 2, 28)), 28 * 24 - 1);
        assert_eq!(hours(&months, date(2026, 10, 28)), 31 * 24 + 1);
    }

    #[test]
    fn a_period_begins_on_its_anchor_however_far_away_and_on_no_other_day() {
        let biweeks = settings(PayPeriod::Biweek, date(2026, 1, 5), "UTC");
        let begins = |day| biweeks.pay_period_on(day).is_some();
        assert!(begins(date(2026, 1, 5)) && begins(date(2025, 12, 22)) && begins(date(1970, 1, 5)));
        assert!(!begins(date(2026, 1, 12)) && !begins(date(2026, 1, 6)));
        let months = settings(PayPeriod::Month, date(2024, 1, 15), "UTC");
        assert_eq!(months.pay_period_of(date(2026, 3, 14)).first, date(2026, 2, 15));
        assert_eq!(months.pay_period_of(date(2026, 3, 15)).first, date(2026, 3, 15));
        assert_eq!(months.pay_period_of(date(2026, 1, 1)).first, date(2025, 12, 15));
    }

    const ZONES: [&str; 7] = [
        "UTC",
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Pacific/Apia",
    ];

    proptest! {
        #[test]
        fn periods_tile_time(
            pay_period in prop::sample::select(PayPeriod::ALL.to_vec()),
            anchor in (1970..2199_i16, 1..=12_i8, 1..=28_i8).prop_map(|(y, m, d)| date(y, m, d)),
            zone in prop::sample::select(ZONES.to_vec()),
            (start, length) in (0..100 * 365 * DAY, 1..200 * DAY),
        ) {
            let settings = settings(pay_period, anchor, zone);
            let range = TimeRange::new(Millis(start), Millis(start + length)).expect("a range");
            let spans: Vec<PaySpan> = settings.pay_periods(range).collect();
            prop_assert!(spans[0].range.start() <= range.start());
            prop_assert!(spans[spans.len() - 1].range.end() >= range.end());
            for pair in spans.windows(2) {
                prop_assert_eq!(pair[0].range.end(), pair[1].range.start());
            }
            for span in spans {
                prop_assert!(span.range.clip(range).is_some(), "it touches the range");
                prop_assert_eq!(settings.pay_period_on(span.first), Some(span));
                for at in [span.range.start(), span.range.end() - 1] {
                    prop_assert_eq!(settings.pay_period_of(day_of(at, settings.timezone.rules())), span);
                }
            }
        }

        #[test]
        fn no_range_however_far_breaks_the_calendar(start: i64, length in 1..=i64::MAX) {
            let Ok(range) = TimeRange::new(Millis(start), Millis(start.saturating_add(length))) else { return Ok(()) };
            for pay_period in PayPeriod::ALL {
                let settings = settings(pay_period, date(2199, 12, 28), "Asia/Kathmandu");
                prop_assert!(settings.pay_periods(range).take(3).count() <= 3);
            }
        }
    }
}
