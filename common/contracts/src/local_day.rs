//! Where the days of a time zone begin.

use jiff::{
    Timestamp,
    civil::Date,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::Millis;

/// The moments that have a calendar: from 1970 on, for as long as years have four digits.
pub const CALENDAR: std::ops::Range<i64> = 0..253_370_764_800_000;

/// The day that a moment belongs to: the last that has begun. Where the clock is set back across
/// midnight, the new day goes on.
pub fn day_of(at: Millis, zone: &TimeZone) -> Date {
    let shown = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap_or_default()).date();
    match shown.tomorrow() {
        Ok(next) if beginning(next, zone) <= at => next,
        _ => shown,
    }
}

/// The first moment of a day: its first midnight; where the clock skips that, the moment it does.
pub fn beginning(date: Date, zone: &TimeZone) -> Millis {
    let midnight = zone.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
    let skipped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
    // Never further than the calendar goes.
    let Ok(found) = midnight.compatible() else { return Millis(CALENDAR.end) };
    let found = Millis(found.as_millisecond());
    if !skipped {
        return found;
    }
    let after = Timestamp::from_millisecond(found.0 + 1).unwrap_or_default();
    zone.preceding(after).next().map_or(found, |skip| Millis(skip.timestamp().as_millisecond()))
}
