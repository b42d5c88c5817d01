use std::str::FromStr;

use contracts::{Millis, Zone};
use jiff::civil::Date;

/// From which hour of the organisation's day on managers are mailed what waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DigestHour(i8);

impl Default for DigestHour {
    fn default() -> Self {
        Self(7)
    }
}

impl FromStr for DigestHour {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().ok().filter(|hour| (0..=23).contains(hour)).map(Self).ok_or(())
    }
}

/// The mails of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) day: Date,
    /// When the next day begins.
    pub(crate) until: Millis,
}

impl Digest {
    /// The day whose mails are due now, or were due earlier on this day. If clocks skip the hour, the mails are due
    /// from then on.
    pub(crate) fn due(now: Millis, zone: &Zone, DigestHour(hour): DigestHour) -> Option<Self> {
        let day = zone.day(now);
        let from = zone.rules().to_ambiguous_timestamp(day.at(hour, 0, 0, 0)).compatible().ok()?;
        let until = zone.beginning(day.tomorrow().ok()?);
        (from.as_millisecond() <= now.0).then_some(Self { day, until })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn hour(text: &str) -> DigestHour {
        text.parse().expect("an hour")
    }

    #[test]
    fn it_is_due_from_its_hour_by_the_clocks_of_the_zone_until_the_day_is_over() {
        let berlin: Zone = "Europe/Berlin".parse().expect("a zone");
        let at = |text: &str| Millis(text.parse::<jiff::Timestamp>().expect("a moment").as_millisecond());
        let due = |text: &str, from: &str| Digest::due(at(text), &berlin, hour(from)).map(|digest| digest.day);
        assert_eq!(due("2026-01-15T05:59:59Z", "7"), None);
        assert_eq!(due("2026-01-15T06:00:00Z", "7"), Some(date(2026, 1, 15)));
        assert_eq!(due("2026-01-15T22:59:59Z", "7"), Some(date(2026, 1, 15)));
        assert_eq!(due("2026-01-15T23:00:00Z", "7"), None, "the next day has begun");
        assert_eq!(due("2026-01-15T23:00:00Z", "0"), Some(date(2026, 1, 16)));
        // In summer the hour comes an hour earlier in UTC; a clock that skips from two to three skips no mail.
        assert_eq!(due("2026-07-15T05:00:00Z", "7"), Some(date(2026, 7, 15)));
        assert_eq!(due("2026-03-29T00:59:59Z", "2"), None);
        assert_eq!(due("2026-03-29T01:00:00Z", "2"), Some(date(2026, 3, 29)));
        let digest = Digest::due(at("2026-03-29T12:00:00Z"), &berlin, hour("7")).expect("a digest");
        assert_eq!(digest.until, at("2026-03-29T22:00:00Z"));
    }

    #[test]
    fn an_hour_is_a_number_from_0_to_23() {
        assert!(["0", "7", "07", "23"].iter().all(|text| text.parse::<DigestHour>().is_ok()));
        assert!(["", "24", "-1", "7:30", "7 am"].iter().all(|text| text.parse::<DigestHour>().is_err()));
    }
}
