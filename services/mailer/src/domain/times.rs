use contracts::{Millis, Zone};
use jiff::{Timestamp, Zoned};

/// Converts a moment into local time.
pub(super) fn local(at: Millis, zone: &Zone) -> Zoned {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.rules().clone())
}

/// Formats a start and an end. The end has a date only if it is on another day than the start.
pub(super) fn stretch(start: &Zoned, end: &Zoned) -> String {
    let until = if start.date() == end.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    format!("{} to {}", start.strftime("%Y-%m-%d %H:%M"), end.strftime(until))
}

/// Formats a duration in milliseconds as hours and minutes, such as 1:05.
pub(super) fn hours(millis: i64) -> String {
    let minutes = (millis + 30_000).div_euclid(60_000);
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use contracts::HOUR;

    use super::*;

    #[test]
    fn hours_go_past_a_day_and_half_a_minute_is_one() {
        let told = [0, 29_999, 30_000, HOUR - 1, 169 * HOUR + 5 * 60_000].map(hours);
        assert_eq!(told, ["0:00", "0:00", "0:01", "1:00", "169:05"]);
    }
}
