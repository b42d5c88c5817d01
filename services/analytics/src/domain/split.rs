use std::ops::Range;

use contracts::{DAY, Millis, TimeRange};

/// A range as whole UTC days, whose sums are stored, and what sticks out of them at its ends,
/// which is counted from facts. Together they are the range, and nothing of it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// Days counted from 1970-01-01; none when empty.
    pub(crate) days: Range<i64>,
    /// None, one or two stretches, each shorter than two days.
    pub(crate) edges: Vec<TimeRange>,
}

impl Split {
    /// Splits a range.
    pub(crate) fn of(range: TimeRange) -> Self {
        let (first, end) = ((range.start() + (DAY - 1)).utc_day(), range.end().utc_day());
        if first >= end {
            return Self { days: 0..0, edges: vec![range] };
        }
        let before = TimeRange::new(range.start(), Millis(first * DAY));
        let after = TimeRange::new(Millis(end * DAY), range.end());
        Self { days: first..end, edges: before.into_iter().chain(after).collect() }
    }
}
