use std::{fmt, ops};

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::lenient;

/// Milliseconds in a second.
pub const SECOND: i64 = 1_000;
/// Milliseconds in an hour.
pub const HOUR: i64 = 3_600 * SECOND;
/// Milliseconds in a day of 24 hours.
pub const DAY: i64 = 24 * HOUR;

/// A moment, in milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = i64, example = 1_760_000_000_000i64)]
pub struct Millis(pub i64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::whole_number(from).map(Self)
    }
}

impl Millis {
    /// The number of the UTC day that contains this moment. 1970-01-01 is day 0.
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The UTC date of this moment. For a moment that the calendar library does not support, it is
    /// the first or the last date of the library.
    pub fn utc_date(self) -> jiff::civil::Date {
        let at = jiff::Timestamp::from_millisecond(self.0);
        let out_of_range = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        at.unwrap_or(out_of_range).to_zoned(jiff::tz::TimeZone::UTC).date()
    }
}

impl ops::Add<i64> for Millis {
    type Output = Self;

    fn add(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl ops::Sub<i64> for Millis {
    type Output = Self;

    fn sub(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis))
    }
}

impl ops::Sub for Millis {
    type Output = i64;

    fn sub(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A range of time [start, end): the end is not included. A range is never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct TimeRange {
    start: Millis,
    end: Millis,
}

/// The error for two moments of which the second is not after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be after start")]
pub struct InvalidRange;

#[derive(Deserialize)]
struct Unchecked {
    start: Millis,
    end: Millis,
}

impl TryFrom<Unchecked> for TimeRange {
    type Error = InvalidRange;

    fn try_from(range: Unchecked) -> Result<Self, InvalidRange> {
        Self::new(range.start, range.end)
    }
}

impl TimeRange {
    /// Makes the range from `start` to `end`.
    ///
    /// # Errors
    /// [`InvalidRange`], if `start` is not before `end`.
    pub fn new(start: Millis, end: Millis) -> Result<Self, InvalidRange> {
        if start < end { Ok(Self { start, end }) } else { Err(InvalidRange) }
    }

    /// The range of the UTC day with this number. 1970-01-01 is day 0.
    pub fn of_utc_day(day: i64) -> Self {
        let start = Millis(day.saturating_mul(DAY));
        Self { start, end: start + DAY }
    }

    /// The start, which is included.
    pub const fn start(self) -> Millis {
        self.start
    }

    /// The end, which is not included.
    pub const fn end(self) -> Millis {
        self.end
    }

    /// The length of the range, in milliseconds.
    pub fn length(self) -> i64 {
        self.end - self.start
    }

    /// The range, extended by this many milliseconds at both ends.
    pub fn widened(self, by: i64) -> Self {
        Self { start: self.start - by, end: self.end + by }
    }

    /// The range, extended to this moment if the range ends earlier.
    pub fn until(self, end: Millis) -> Self {
        Self { end: self.end.max(end), ..self }
    }

    /// The part of the range that is also in `other`; none if they have no moment in common.
    pub fn clip(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }
}
