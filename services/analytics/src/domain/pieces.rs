use std::collections::BTreeSet;

use contracts::TimeRange;

use super::UtcMonth;

/// A time range, divided into whole UTC days and the parts of days at its two ends.
#[derive(Clone, Debug)]
pub(crate) struct DayPieces {
    /// The whole days, counted from 1970-01-01.
    pub(crate) whole: std::ops::Range<i64>,
    /// The parts of days at the ends, each with its day.
    pub(crate) edges: Vec<(i64, TimeRange)>,
}

impl DayPieces {
    /// Divides a range into whole days and parts of days.
    pub(crate) fn of(range: TimeRange) -> Self {
        let (first, last) = (range.start().utc_day(), (range.end() - 1).utc_day());
        let is_whole = |day: i64| TimeRange::of_utc_day(day).clip(range) == Some(TimeRange::of_utc_day(day));
        let ends = if first == last { vec![first] } else { vec![first, last] };
        let edges = ends.into_iter().filter(|day| !is_whole(*day));
        let edges: Vec<_> = edges.filter_map(|day| Some((day, TimeRange::of_utc_day(day).clip(range)?))).collect();
        let whole = if is_whole(first) { first } else { first + 1 }..if is_whole(last) { last + 1 } else { last };
        Self { whole: whole.start..whole.end.max(whole.start), edges }
    }

    /// The UTC months that the range touches.
    pub(crate) fn months(&self) -> BTreeSet<UtcMonth> {
        let edges = self.edges.iter().map(|(day, _)| *day);
        let ends = [self.whole.start, self.whole.end - 1].into_iter().filter(|_| !self.whole.is_empty());
        let months: BTreeSet<UtcMonth> = edges.chain(ends).map(UtcMonth::of_day).collect();
        match (months.first(), months.last()) {
            (Some(first), Some(last)) => (first.0..=last.0).map(UtcMonth).collect(),
            _ => months,
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::{DAY, Millis};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_pieces_of_a_range_are_the_range(start in 0..40 * DAY, length in 1..90 * DAY) {
            let range = TimeRange::new(Millis(start), Millis(start + length)).expect("a range");
            let pieces = DayPieces::of(range);
            let whole = pieces.whole.clone().map(TimeRange::of_utc_day);
            let mut all: Vec<TimeRange> = whole.chain(pieces.edges.iter().map(|(_, edge)| *edge)).collect();
            all.sort_by_key(|piece| piece.start());
            prop_assert_eq!(all.first().map(|piece| piece.start()), Some(range.start()));
            prop_assert_eq!(all.last().map(|piece| piece.end()), Some(range.end()));
            prop_assert!(all.windows(2).all(|pair| pair[0].end() == pair[1].start()));
            prop_assert!(pieces.edges.iter().all(|(day, edge)| edge.start().utc_day() == *day && edge.length() < DAY));
            let months: BTreeSet<UtcMonth> = all.iter().map(|piece| UtcMonth::of_day(piece.start().utc_day())).collect();
            prop_assert_eq!(pieces.months(), months);
        }
    }
}
