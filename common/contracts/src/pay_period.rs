//! The calendar of pay periods, computed from the settings of the organisation.

use std::iter;

use jiff::{ToSpan, civil::Date};

use crate::{CALENDAR, DAY, Millis, PayPeriod, Settings, TimeRange, beginning, day_of, uncovered};

/// The settled periods that may cut the open periods of a range are loaded from this long before
/// the range until this long after it, in milliseconds. It is more than the length of two periods.
pub const PERIODS_AROUND: i64 = 70 * DAY;

/// The maximum number of days between the day on which a part of a period begins and the earlier
/// day that the part may be named after ([`Settings::open_periods`]). More than one day is needed
/// only if several parts of less than a day adjoin.
const NAMES_BEFORE: usize = 7;

/// A pay period: the local days that are submitted, approved and paid together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaySpan {
    /// The local day that the period is named after, which is part of its id. It is the day on
    /// which the period begins, unless another period has that name ([`Settings::open_periods`]).
    pub first: Date,
    /// The range of the period.
    pub range: TimeRange,
}

impl Settings {
    /// The pay period of the calendar that contains a local day.
    pub fn pay_period_of(&self, day: Date) -> PaySpan {
        self.pay_period_from(self.first_day(day))
    }

    /// The pay period of the calendar that begins on this day; none if no period begins on it.
    pub fn pay_period_on(&self, first: Date) -> Option<PaySpan> {
        (self.first_day(first) == first).then(|| self.pay_period_from(first))
    }

    /// The pay periods of the calendar that a range touches, in order. Each moment of the range is
    /// in exactly one of them, as long as the calendar supports it.
    pub fn pay_periods(&self, range: TimeRange) -> impl Iterator<Item = PaySpan> + '_ {
        let calendar = TimeRange::new(Millis(CALENDAR.start), Millis(CALENDAR.end)).ok();
        let range = calendar.and_then(|calendar| range.clip(calendar));
        let first = range.map(|range| self.pay_period_of(day_of(range.start(), self.timezone.rules())));
        iter::successors(first, |last| Some(self.pay_period_from(self.next_first(last.first))))
            .take_while(move |span| range.is_some_and(|range| span.range.start() < range.end()))
    }

    /// The pay periods of an employee that touch a range and are not settled, in order. If periods
    /// were settled under earlier settings, the periods of the present calendar are cut where they
    /// overlap these. So every moment is in exactly one period, and can be approved.
    ///
    /// What is left of a period that was cut is called a part. A part is named after the day on
    /// which it begins. If another period has that name, the part is named after the next day that
    /// begins in it and is free; if there is none, after the nearest free day before it.
    ///
    /// `settled` must contain all settled periods of the employee that are within
    /// [`PERIODS_AROUND`] of the range.
    pub fn open_periods(&self, range: TimeRange, settled: &[PaySpan]) -> Vec<PaySpan> {
        let ranges: Vec<TimeRange> = settled.iter().map(|one| one.range).collect();
        let mut open: Vec<PaySpan> = Vec::new();
        // The periods before and after the range are included, because the names of their parts are
        // not free.
        for span in self.pay_periods(range.widened(PERIODS_AROUND / 2)) {
            for part in uncovered(&[span.range], &ranges) {
                let begins_on =
                    if part.start() == span.range.start() { span.first } else { self.timezone.day(part.start()) };
                let begins_in_it = |day: &Date| *day == begins_on || self.timezone.beginning(*day) < part.end();
                let in_it = iter::successors(Some(begins_on), |day| day.tomorrow().ok()).take_while(begins_in_it);
                let before_it = iter::successors(begins_on.yesterday().ok(), |day| day.yesterday().ok());
                let is_free = |day: &Date| open.iter().chain(settled).all(|one| one.first != *day);
                let name = in_it.chain(before_it.take(NAMES_BEFORE)).find(is_free);
                open.extend(name.map(|first| PaySpan { first, range: part }));
            }
        }
        open.retain(|one| one.range.clip(range).is_some());
        open
    }

    /// The pay period of an employee that is not settled and is named after this day; none if there
    /// is none. `settled` must contain all settled periods of the employee that touch the range
    /// [`Self::around`] of the day.
    pub fn open_period_on(&self, first: Date, settled: &[PaySpan]) -> Option<PaySpan> {
        self.open_periods(self.day_with_room(first)?, settled).into_iter().find(|one| one.first == first)
    }

    /// The range in which settled periods may cut the period that is named after this day.
    pub fn around(&self, first: Date) -> Option<TimeRange> {
        Some(self.day_with_room(first)?.widened(PERIODS_AROUND))
    }

    /// A range that contains the beginning of the period that is named after this day.
    fn day_with_room(&self, day: Date) -> Option<TimeRange> {
        let start = self.timezone.beginning(day);
        Some(TimeRange::new(start, start + DAY).ok()?.widened((NAMES_BEFORE as i64 + 1) * DAY))
    }

    fn pay_period_from(&self, first: Date) -> PaySpan {
        let rules = self.timezone.rules();
        let (start, next) = (beginning(first, rules), beginning(self.next_first(first), rules));
        // The fallback is never used: a period is at least a week long, and no time zone has ever
        // skipped a week.
        let range = TimeRange::new(start, next).unwrap_or_else(|_| TimeRange::of_utc_day(start.utc_day()));
        PaySpan { first, range }
    }

    /// The first day of the pay period that contains a day.
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

    /// The length of a period in days; none for periods of a month.
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

    #[test]
    fn after_another_zone_the_first_period_begins_where_the_settled_one_ends() {
        let months = |zone| settings(PayPeriod::Month, date(2024, 1, 1), zone);
        let of_utc = |first| months("UTC").pay_period_on(first).expect("a first day");
        let january = of_utc(date(2026, 1, 1));
        let on = |settings: &Settings, first| settings.open_period_on(first, &[january]).map(|one| one.range);
        let berlin = months("Europe/Berlin");
        let february = on(&berlin, date(2026, 2, 1)).expect("it is open");
        assert_eq!(february.start(), january.range.end(), "an hour later than the month of Berlin begins");
        assert_eq!(february.end(), of_utc(date(2026, 3, 1)).range.start() - HOUR);
        let new_york = months("America/New_York");
        let evening = on(&new_york, date(2026, 1, 31)).expect("what is left of January has its own name");
        assert_eq!((evening.start(), evening.length()), (january.range.end(), 5 * HOUR));
        assert_eq!(on(&new_york, date(2026, 2, 1)).map(|one| one.start()), Some(evening.end()));
        assert_eq!(on(&new_york, date(2026, 1, 1)), None, "it is settled");
        let weeks = settings(PayPeriod::Week, date(2026, 1, 5), "UTC");
        assert_eq!(on(&weeks, date(2026, 1, 26)), None);
        assert_eq!(on(&weeks, date(2026, 2, 1)).map(TimeRange::length), Some(DAY), "Sunday alone");
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
        fn whatever_was_settled_by_whatever_calendars_each_other_second_lies_in_one_period_with_a_name_of_its_own(
            steps in prop::collection::vec(
                (prop::sample::select(PayPeriod::ALL.to_vec()), 1..=28_i8, prop::sample::select(ZONES.to_vec()), any::<prop::sample::Index>(), 0..4u8),
                1..7,
            ),
        ) {
            let at = date(2026, 3, 1).to_zoned(jiff::tz::TimeZone::UTC).expect("a day").timestamp().as_millisecond();
            let range = TimeRange::new(Millis(at), Millis(at + 90 * DAY)).expect("a range");
            let mut settled: Vec<PaySpan> = Vec::new();
            for (pay_period, day, zone, chosen, how) in steps {
                let settings = settings(pay_period, date(2026, 1, day), zone);
                let open = settings.open_periods(range, &settled);
                let mut names: Vec<Date> = open.iter().chain(&settled).map(|one| one.first).collect();
                names.sort_unstable();
                let all = names.len();
                names.dedup();
                prop_assert_eq!(names.len(), all, "each has a name of its own");
                let ranges: Vec<TimeRange> = open.iter().chain(&settled).map(|one| one.range).collect();
                prop_assert_eq!(uncovered(&[range], &ranges), Vec::new(), "{:?} beside {:?}", open, settled);
                let time: i64 = ranges.iter().filter_map(|one| one.clip(range)).map(TimeRange::length).sum();
                prop_assert!(time <= range.length(), "no second twice");
                for one in &open {
                    prop_assert_eq!(settings.open_period_on(one.first, &settled), Some(*one), "it is found by its name");
                }
                match how {
                    0 if !settled.is_empty() => drop(settled.remove(chosen.index(settled.len()))),
                    _ if !open.is_empty() => settled.push(open[chosen.index(open.len())]),
                    _ => {}
                }
            }
        }

        #[test]
        fn where_nothing_was_settled_by_another_calendar_periods_are_those_of_the_calendar(
            pay_period in prop::sample::select(PayPeriod::ALL.to_vec()),
            zone in prop::sample::select(ZONES.to_vec()),
            (start, length) in (0..50 * 365 * DAY, 1..200 * DAY),
            chosen in prop::collection::vec(any::<bool>(), 40),
        ) {
            let settings = settings(pay_period, date(2026, 1, 5), zone);
            let range = TimeRange::new(Millis(start), Millis(start + length)).expect("a range");
            let (settled, open): (Vec<_>, Vec<_>) =
                settings.pay_periods(range).zip(chosen.iter().cycle()).partition(|(_, is_settled)| **is_settled);
            let spans = |all: Vec<(PaySpan, &bool)>| all.into_iter().map(|(span, _)| span).collect::<Vec<_>>();
            prop_assert_eq!(settings.open_periods(range, &spans(settled)), spans(open));
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
