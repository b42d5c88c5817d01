//! Formats times and numbers for the reader of a page, in their time zone and language.

use axum::http::{HeaderMap, header};
use contracts::{Cents, Currency, Millis, Settings, TimeRange, WeekDay, Zone};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{cookie, locale::Locale};

/// The number of milliseconds in a minute.
const MINUTE: i64 = 60_000;

/// The text that is shown in place of the cost of worked time that costs 0, which usually has no
/// rate.
pub(super) const NO_RATE: &str = "no rate";

/// Whether worked time has the cost 0, because it has no rate or its rate is 0.
pub(super) fn lacks_rate(time: i64, costs: Cents) -> bool {
    time > 0 && costs.0 == 0
}

/// The reader of a page, for whom texts are formatted.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    /// The time zone in which times are shown.
    pub(super) zone: Zone,
    /// The first day of the week, from the organisation's settings.
    week_start: WeekDay,
    /// The currency of all amounts, if the organisation has set one.
    currency: Option<Currency>,
    locale: Locale,
}

impl Reader {
    /// The reader who sends these headers. The language is that of the browser. The time zone is
    /// the one that the reader has chosen (a cookie), or else the organisation's.
    pub(super) fn of(headers: &HeaderMap, settings: &Settings) -> Self {
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let zone = cookie::value(headers, cookie::ZONE).and_then(|zone| zone.parse().ok());
        let zone = zone.unwrap_or_else(|| settings.timezone.clone());
        let locale = Locale::accepted(language.unwrap_or_default());
        Self { zone, week_start: settings.week_start, currency: settings.currency, locale }
    }

    /// The day of a moment, in the reader's time zone.
    pub(super) fn day(&self, at: Millis) -> Date {
        self.zoned(at).date()
    }

    /// The range of `count` days from `first` on, in the reader's time zone; `None` beyond the
    /// calendar.
    pub(super) fn days(&self, first: Date, count: i32) -> Option<TimeRange> {
        let begins = |day: Date| Some(Millis(day.to_zoned(self.rules()).ok()?.timestamp().as_millisecond()));
        let end = first.checked_add(count.days()).ok()?;
        TimeRange::new(begins(first)?, begins(end)?).ok()
    }

    /// The first day of the week that contains this day.
    pub(super) fn week(&self, day: Date) -> Date {
        let since = day.weekday().since(self.week_start.of_calendar());
        day.checked_sub(i32::from(since).days()).unwrap_or(day)
    }

    /// Formats a moment as a date and a time of day.
    pub(super) fn moment(&self, at: Millis) -> String {
        let at = self.zoned(at).datetime();
        format!("{} {}", self.locale.date(at.date()), self.locale.time(at.time()))
    }

    /// The date and the time of day of a moment, in the reader's time zone.
    pub(super) fn local(&self, at: Millis) -> DateTime {
        self.zoned(at).datetime()
    }

    /// The moment with this local date and time; the earlier of two moments when clocks are set
    /// back.
    pub(super) fn at(&self, local: DateTime) -> Option<Millis> {
        Some(Millis(local.to_zoned(self.rules()).ok()?.timestamp().as_millisecond()))
    }

    /// Formats the time of day of a moment.
    pub(super) fn time(&self, at: Millis) -> String {
        self.locale.time(self.zoned(at).time())
    }

    pub(super) fn date(&self, day: Date) -> String {
        self.locale.date(day)
    }

    /// Formats an amount without its currency, for a column whose heading names the currency (see
    /// [`Self::in_currency`]).
    pub(super) fn money(&self, amount: Cents) -> String {
        self.locale.money(amount.0)
    }

    /// Formats the cost of some time without its currency, for a column of a table. Worked time
    /// that costs 0 is shown as `no rate`.
    pub(super) fn cost(&self, time: i64, costs: Cents) -> String {
        if lacks_rate(time, costs) { NO_RATE.to_owned() } else { self.money(costs) }
    }

    /// The name of a column of amounts or of an input field, with the currency if there is one.
    pub(super) fn in_currency(&self, name: &str) -> String {
        self.currency.map_or_else(|| name.to_owned(), |currency| format!("{name} ({currency})"))
    }

    /// Formats an amount with its currency, for use outside of tables.
    pub(super) fn sum(&self, amount: Cents) -> String {
        let money = self.money(amount);
        // U+00A0 is a space at which no line breaks, so the currency stays next to its amount.
        self.currency.map_or_else(|| money.clone(), |currency| format!("{money}\u{a0}{currency}"))
    }

    /// Formats the cost of some time with its currency, for use outside of tables.
    pub(super) fn sum_of_cost(&self, time: i64, costs: Cents) -> String {
        if lacks_rate(time, costs) { NO_RATE.to_owned() } else { self.sum(costs) }
    }

    pub(super) fn count(&self, number: usize) -> String {
        self.locale.whole(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// Formats a duration in hours and minutes, rounded to minutes: 7:30.
    pub(super) fn hours(&self, millis: i64) -> String {
        let minutes = (millis + MINUTE / 2).div_euclid(MINUTE);
        let sign = if minutes < 0 { "−" } else { "" };
        let hours = i64::try_from(minutes.unsigned_abs() / 60).unwrap_or(i64::MAX);
        format!("{sign}{}:{:02}", self.locale.whole(hours), minutes.unsigned_abs() % 60)
    }

    fn zoned(&self, at: Millis) -> jiff::Zoned {
        Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.rules())
    }

    fn rules(&self) -> TimeZone {
        self.zone.rules().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(zone: &str) -> Reader {
        let zone = zone.parse().expect("a zone");
        Reader { zone, week_start: WeekDay::Monday, currency: None, locale: Locale::accepted("") }
    }

    #[test]
    fn a_day_is_as_long_as_the_clock_makes_it() {
        let berlin = reader("Europe/Berlin");
        let hours = |day| berlin.days(day, 1).map(|range| range.length() / 3_600_000);
        assert_eq!(hours(jiff::civil::date(2026, 3, 28)), Some(24));
        assert_eq!(hours(jiff::civil::date(2026, 3, 29)), Some(23));
        assert_eq!(hours(jiff::civil::date(2026, 10, 25)), Some(25));
        assert_eq!(berlin.days(Date::MAX, 1), None);
    }

    #[test]
    fn a_moment_is_told_in_the_zone() {
        let at = Millis(1_772_321_400_000); // 2026-02-28 23:30 UTC
        assert_eq!(reader("UTC").moment(at), "2026-02-28 23:30");
        assert_eq!(reader("Asia/Kolkata").moment(at), "2026-03-01 05:00");
        assert_eq!(reader("Asia/Kolkata").day(at), jiff::civil::date(2026, 3, 1));
    }

    #[test]
    fn an_amount_that_stands_alone_has_its_currency_and_one_in_a_table_has_it_in_the_head() {
        let (plain, amount) = (reader("UTC"), Cents(123_456));
        let euros = Reader { currency: "EUR".parse().ok(), ..plain.clone() };
        assert_eq!((plain.sum(amount), plain.in_currency("Cost")), ("1,234.56".into(), "Cost".into()));
        assert_eq!((euros.sum(amount), euros.in_currency("Cost")), ("1,234.56\u{a0}EUR".into(), "Cost (EUR)".into()));
        assert_eq!(euros.money(amount), "1,234.56");
    }

    #[test]
    fn time_without_a_cost_is_said_to_have_no_rate_and_no_time_costs_nothing() {
        let reader = reader("UTC");
        assert_eq!(
            [(0, 0), (1, 0), (1, 7)].map(|(time, costs)| reader.cost(time, Cents(costs))),
            ["0.00", "no rate", "0.07"]
        );
        assert_eq!(reader.sum_of_cost(1, Cents(0)), "no rate");
    }

    #[test]
    fn a_length_is_rounded_to_minutes() {
        let hours = |millis| reader("UTC").hours(millis);
        assert_eq!(hours(0), "0:00");
        assert_eq!(hours(29_999), "0:00");
        assert_eq!(hours(30_000), "0:01");
        assert_eq!(hours(27_000_000), "7:30");
        assert_eq!(hours(4_442_400_000), "1,234:00");
        assert_eq!(hours(-90_000), "−0:01");
    }

    #[test]
    fn a_week_begins_on_the_day_that_was_chosen() {
        let date = |day| jiff::civil::date(2026, 3, day);
        let sundays = Reader { week_start: WeekDay::Sunday, ..reader("UTC") };
        for day in 2..9 {
            assert_eq!(reader("UTC").week(date(day)), date(2));
        }
        for day in 1..8 {
            assert_eq!(sundays.week(date(day)), date(1));
        }
    }
}
