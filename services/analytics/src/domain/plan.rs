use std::collections::BTreeSet;

use contracts::{Millis, TimeRange};

use super::{Bucket, UtcMonth};

/// The most buckets that one step reads. With more, a step would read much data for rows after the
/// end of the page.
const MOST_BUCKETS: usize = 7;

/// A piece of time that is added to a bucket, or subtracted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A whole month, from the stored sum of the month.
    Month(UtcMonth),
    /// A whole day, from the stored sum of the day.
    Day(i64),
    /// A whole day that is subtracted: it is not in the bucket, but its month is read as a whole.
    Less(i64),
    /// A part of a day, from the day's stretches.
    Edge {
        /// The day, counted from 1970-01-01.
        day: i64,
        /// The part of the day.
        range: TimeRange,
    },
}

impl Piece {
    fn month(self) -> UtcMonth {
        match self {
            Self::Month(month) => month,
            Self::Day(day) | Self::Less(day) | Self::Edge { day, .. } => UtcMonth::of_day(day),
        }
    }
}

/// The pieces that are read together, of at most [`MOST_BUCKETS`] consecutive buckets. Two
/// consecutive parts of days must be in the same month. A piece of a later bucket than the first
/// must fit the piece before it: both are whole months, or neither is and both are in the same
/// month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// The pieces, each with the index of its bucket.
    pub(crate) pieces: Vec<(usize, Piece)>,
}

impl Step {
    /// The months whose documents this step reads.
    pub(crate) fn months(&self) -> BTreeSet<UtcMonth> {
        self.pieces.iter().map(|(_, piece)| piece.month()).collect()
    }

    /// The step with only the pieces that are read from sums of whole days and months; none if it
    /// has no such piece.
    pub(crate) fn whole(&self) -> Option<Self> {
        self.those(|piece| !matches!(piece, Piece::Edge { .. }))
    }

    /// The step with only the pieces that are read from stretches; none if it has no such piece.
    pub(crate) fn edges(&self) -> Option<Self> {
        self.those(|piece| matches!(piece, Piece::Edge { .. }))
    }

    fn those(&self, which: impl Fn(Piece) -> bool) -> Option<Self> {
        let pieces: Vec<_> = self.pieces.iter().filter(|(_, piece)| which(*piece)).copied().collect();
        (!pieces.is_empty()).then_some(Self { pieces })
    }

    /// The days that this step needs, counted from 1970-01-01.
    pub(crate) fn days(&self) -> BTreeSet<i64> {
        let days = |(_, piece): &(usize, Piece)| match piece {
            Piece::Month(month) => month.days(),
            Piece::Day(day) | Piece::Less(day) | Piece::Edge { day, .. } => *day..day + 1,
        };
        self.pieces.iter().flat_map(days).collect()
    }

    fn takes(&self, bucket: usize, piece: Piece) -> bool {
        let (Some((first, _)), Some((_, last))) = (self.pieces.first(), self.pieces.last()) else { return true };
        let alike = match (last, piece) {
            // A plan that reads only stretches (`plan_of_edges`) has many pieces of this kind. The
            // stretches of more than one month in one step would be too much data.
            (Piece::Edge { .. }, Piece::Edge { .. }) => last.month() == piece.month(),
            _ if bucket == *first => true,
            (Piece::Month(_), Piece::Month(_)) => true,
            (Piece::Month(_), _) | (_, Piece::Month(_)) => false,
            (last, piece) => last.month() == piece.month(),
        };
        alike && bucket - first < MOST_BUCKETS
    }
}

/// The steps that read these buckets, in order of time, as whole months, whole days and parts of
/// days at the ends. After the subtractions, the pieces are exactly the buckets: no time is missing
/// or counted twice.
pub(crate) fn plan(buckets: &[Bucket]) -> Vec<Step> {
    steps(buckets, |at, end| {
        let day = TimeRange::of_utc_day(at.utc_day());
        if day.start() < at || day.end() > end {
            return None;
        }
        let month = UtcMonth::of_day(at.utc_day());
        let whole = month.range();
        Some(if whole.start() == at && whole.end() <= end { Piece::Month(month) } else { Piece::Day(at.utc_day()) })
    })
}

/// The steps that read these buckets from stretches only, for a report that sums of whole days
/// cannot answer.
pub(crate) fn plan_of_edges(buckets: &[Bucket]) -> Vec<Step> {
    steps(buckets, |_, _| None)
}

fn steps(buckets: &[Bucket], whole: impl Fn(Millis, Millis) -> Option<Piece>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (position, bucket) in buckets.iter().enumerate() {
        for piece in shorter(&pieces(bucket.range, &whole)) {
            match steps.last_mut() {
                Some(step) if step.takes(position, piece) => step.pieces.push((position, piece)),
                _ => steps.push(Step { pieces: vec![(position, piece)] }),
            }
        }
    }
    steps
}

/// Divides a range into pieces, in order of time. `whole` gets a moment and the end of the range,
/// and returns the whole month or day that begins at the moment and is read as a sum; none if a
/// part of a day is read instead.
fn pieces(range: TimeRange, whole: impl Fn(Millis, Millis) -> Option<Piece>) -> Vec<Piece> {
    let (mut at, end, mut pieces) = (range.start(), range.end(), Vec::new());
    while at < end {
        let (piece, next) = match whole(at, end) {
            Some(Piece::Month(month)) => (Piece::Month(month), month.range().end()),
            Some(piece) => (piece, TimeRange::of_utc_day(at.utc_day()).end()),
            None => {
                let next = TimeRange::of_utc_day(at.utc_day()).end().min(end);
                let Ok(range) = TimeRange::new(at, next) else { break };
                (Piece::Edge { day: at.utc_day(), range }, next)
            }
        };
        pieces.push(piece);
        at = next;
    }
    pieces
}

/// The same time with fewer pieces. Consecutive days of a month are replaced with the whole month,
/// from which its other days are subtracted, where that takes fewer pieces.
fn shorter(pieces: &[Piece]) -> Vec<Piece> {
    let follow = |a: &Piece, b: &Piece| matches!((a, b), (Piece::Day(_), Piece::Day(_))) && a.month() == b.month();
    let mut shorter = Vec::with_capacity(pieces.len());
    for run in pieces.chunk_by(follow) {
        if let [Piece::Day(first), .., Piece::Day(last)] = run
            && let month = UtcMonth::of_day(*first)
            && month.days().count() + 1 < 2 * run.len()
        {
            shorter.push(Piece::Month(month));
            shorter.extend(month.days().filter(|day| !(first..=last).contains(&day)).map(Piece::Less));
        } else {
            shorter.extend_from_slice(run);
        }
    }
    shorter
}

#[cfg(test)]
mod tests {
    use contracts::{DAY, HOUR};

    use super::*;

    fn bucket(start: i64, end: i64) -> Bucket {
        let range = TimeRange::new(Millis(start), Millis(end)).expect("a range");
        Bucket { day: None, week: None, month: None, range }
    }

    #[test]
    fn one_stretch_of_time_is_read_at_once_however_its_ends_lie() {
        // The range is from 6:00 on 15 January 1970 to 18:00 on 10 April.
        let steps = plan(&[bucket(14 * DAY + 6 * HOUR, 99 * DAY + 18 * HOUR)]);
        let [Step { pieces }] = &steps[..] else { panic!("one step, not {steps:?}") };
        let count = |which: fn(&Piece) -> bool| pieces.iter().filter(|(_, piece)| which(piece)).count();
        assert_eq!(count(|piece| matches!(piece, Piece::Month(_))), 2);
        assert_eq!(count(|piece| matches!(piece, Piece::Day(_))), 16 + 9);
        assert_eq!(count(|piece| matches!(piece, Piece::Edge { .. })), 2);
    }

    #[test]
    fn of_a_month_that_is_there_for_the_most_part_what_is_missing_is_taken_off() {
        let steps = plan(&[bucket(2 * DAY, 30 * DAY)]);
        let pieces: Vec<_> =
            [Piece::Month(UtcMonth(0)), Piece::Less(0), Piece::Less(1), Piece::Less(30)].map(|piece| (0, piece)).into();
        assert_eq!(steps, [Step { pieces }]);
    }

    #[test]
    fn where_only_stretches_tell_no_step_is_longer_than_a_month() {
        let steps = plan_of_edges(&[bucket(14 * DAY, 99 * DAY)]);
        assert_eq!(steps.len(), 4);
        assert!(steps.iter().all(|step| step.months().len() == 1));
    }

    #[test]
    fn many_short_buckets_are_read_few_at_a_time() {
        let days: Vec<_> = (0..31).map(|day| bucket(day * DAY, (day + 1) * DAY)).collect();
        assert_eq!(plan(&days).len(), 31_usize.div_ceil(MOST_BUCKETS));
    }
}
