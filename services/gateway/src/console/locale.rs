//! How numbers, dates and times are written in the reader's language.

use jiff::civil::{Date, Time};

/// The order and the separator of the parts of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dates {
    /// Year, month, day with hyphens: 2026-03-01.
    Iso,
    /// Day, month, year, with this separator.
    DayFirst(char),
    /// Month, day, year, with slashes.
    MonthFirst,
}

/// How numbers, dates and times are written in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Locale {
    decimal: char,
    group: char,
    dates: Dates,
    has_noon: bool,
}

const fn locale(decimal: char, group: char, dates: Dates) -> Locale {
    Locale { decimal, group, dates, has_noon: false }
}

/// The formats for languages that are not in [`KNOWN`].
const ANY: Locale = locale('.', ',', Dates::Iso);
/// The formats by language, or by language and country where a country differs from its language.
/// The first entry that fits is used, so a country is listed before its language. U+202F and U+00A0
/// are spaces at which no line breaks.
const KNOWN: [(&str, Locale); 27] = [
    ("en-us", Locale { decimal: '.', group: ',', dates: Dates::MonthFirst, has_noon: true }),
    ("en-ca", ANY),
    ("en-za", locale(',', '\u{a0}', Dates::Iso)),
    ("en", locale('.', ',', Dates::DayFirst('/'))),
    ("de-ch", locale('.', '’', Dates::DayFirst('.'))),
    ("de-at", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("de", locale(',', '.', Dates::DayFirst('.'))),
    ("fr-ch", locale(',', '\u{202f}', Dates::DayFirst('.'))),
    ("fr-ca", locale(',', '\u{a0}', Dates::Iso)),
    ("fr", locale(',', '\u{202f}', Dates::DayFirst('/'))),
    ("it", locale(',', '.', Dates::DayFirst('/'))),
    ("es-mx", locale('.', ',', Dates::DayFirst('/'))),
    ("es", locale(',', '.', Dates::DayFirst('/'))),
    ("pt", locale(',', '.', Dates::DayFirst('/'))),
    ("nl", locale(',', '.', Dates::DayFirst('-'))),
    ("da", locale(',', '.', Dates::DayFirst('.'))),
    ("nb", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("no", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("sv", locale(',', '\u{a0}', Dates::Iso)),
    ("fi", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("pl", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("cs", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("uk", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("ru", locale(',', '\u{a0}', Dates::DayFirst('.'))),
    ("tr", locale(',', '.', Dates::DayFirst('.'))),
    ("zh", ANY),
    ("ja", ANY),
];

impl Locale {
    /// The formats of the first known language in the header `Accept-Language`.
    pub(super) fn accepted(header: &str) -> Self {
        let tags =
            header.split(',').filter_map(|part| part.split(';').next()).map(|tag| tag.trim().to_ascii_lowercase());
        let of = |tag: String| {
            let fits =
                |known: &str| tag.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
            KNOWN.iter().find(|(known, _)| fits(known)).map(|(_, locale)| *locale)
        };
        tags.filter_map(of).next().unwrap_or(ANY)
    }

    /// Formats an integer, with a separator between groups of three digits.
    pub(super) fn whole(self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let mut text = if number < 0 { "−".to_owned() } else { String::new() };
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                text.push(self.group);
            }
            text.push(digit);
        }
        text
    }

    /// Formats an amount of money, given in cents.
    pub(super) fn money(self, cents: i64) -> String {
        let sign = if cents < 0 { "−" } else { "" };
        let whole = i64::try_from(cents.unsigned_abs() / 100).unwrap_or(i64::MAX);
        format!("{sign}{}{}{:02}", self.whole(whole), self.decimal, cents.unsigned_abs() % 100)
    }

    pub(super) fn date(self, date: Date) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match self.dates {
            Dates::Iso => format!("{year:04}-{month:02}-{day:02}"),
            Dates::DayFirst(between) => format!("{day:02}{between}{month:02}{between}{year:04}"),
            Dates::MonthFirst => format!("{month:02}/{day:02}/{year:04}"),
        }
    }

    /// Formats a time of day, in hours and minutes.
    pub(super) fn time(self, time: Time) -> String {
        let (hour, minute) = (time.hour(), time.minute());
        if !self.has_noon {
            return format!("{hour:02}:{minute:02}");
        }
        let half = if hour < 12 { "AM" } else { "PM" };
        format!("{}:{minute:02} {half}", if hour % 12 == 0 { 12 } else { hour % 12 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_we_know_decides() {
        let money = |header: &str| Locale::accepted(header).money(123_456_789);
        for (header, expected) in [
            ("", "1,234,567.89"),
            ("*", "1,234,567.89"),
            ("de-DE,de;q=0.9,en;q=0.8", "1.234.567,89"),
            ("de-CH", "1’234’567.89"),
            ("tlh, fr;q=0.5", "1\u{202f}234\u{202f}567,89"),
            ("den", "1,234,567.89"),
        ] {
            assert_eq!(money(header), expected, "{header}");
        }
    }

    #[test]
    fn numbers_dates_and_times_are_written_as_the_language_does() {
        let (us, german, any) = (Locale::accepted("en-US"), Locale::accepted("de"), Locale::accepted(""));
        let date = jiff::civil::date(2026, 3, 1);
        assert_eq!([us, german, any].map(|l| l.date(date)), ["03/01/2026", "01.03.2026", "2026-03-01"]);
        let (night, noon) = (jiff::civil::time(0, 5, 0, 0), jiff::civil::time(12, 30, 0, 0));
        assert_eq!([night, noon].map(|time| us.time(time)), ["12:05 AM", "12:30 PM"]);
        assert_eq!(german.time(night), "00:05");
        assert_eq!([0, 7, 999, 1_000, -1_234_567].map(|n| any.whole(n)), ["0", "7", "999", "1,000", "−1,234,567"]);
        assert_eq!([0, 5, -150].map(|cents| any.money(cents)), ["0.00", "0.05", "−1.50"]);
    }
}
