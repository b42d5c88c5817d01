use std::str::FromStr;

use contracts::{Millis, Zone};
use jiff::civil::Date;

/// The hour of the day, in the organisation's time zone, from which managers get their daily mail.
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

/// A day for which each manager gets at most one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) day: Date,
    /// The moment at which the next day begins, until which the mails are sent.
    pub(crate) until: Millis,
}

impl Digest {
    /// Returns today if the hour has come, and `None` before. If the clocks skip the hour, it has
    /// come at the moment of the skip.
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
        // In summer, 7:00 in Berlin is one hour earlier in UTC than in winter. On the day when
        // clocks skip from 2:00 to 3:00, a mail for 2:00 is due at the skip.
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
