use std::collections::BTreeSet;

use contracts::{Millis, TimeRange};

use super::{Bucket, UtcMonth};

/// The most buckets of a step: what is read for rows that do not fit on the page is read in vain.
const MOST_BUCKETS: usize = 7;

/// A piece of a bucket, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A whole month, summed up.
    Month(UtcMonth),
    /// A whole day, summed up.
    Day(i64),
    /// A part of a day, to be summed up from its stretches.
    Edge {
        /// The day.
        day: i64,
        /// What of it.
        range: TimeRange,
    },
}

impl Piece {
    fn month(self) -> UtcMonth {
        match self {
            Self::Month(month) => month,
            Self::Day(day) | Self::Edge { day, .. } => UtcMonth::of_day(day),
        }
    }
}

/// What is read at once: whole months that follow each other, or days and edges of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Each with the position of its bucket.
    pub(crate) pieces: Vec<(usize, Piece)>,
}

impl Step {
    /// The months it reads from.
    pub(crate) fn months(&self) -> BTreeSet<UtcMonth> {
        self.pieces.iter().map(|(_, piece)| piece.month()).collect()
    }

    /// What of it can be had from sums of whole days; nothing, or a step.
    pub(crate) fn whole(&self) -> Option<Self> {
        self.those(|piece| !matches!(piece, Piece::Edge { .. }))
    }

    /// What of it cannot.
    pub(crate) fn edges(&self) -> Option<Self> {
        self.those(|piece| matches!(piece, Piece::Edge { .. }))
    }

    fn those(&self, which: impl Fn(Piece) -> bool) -> Option<Self> {
        let pieces: Vec<_> = self.pieces.iter().filter(|(_, piece)| which(*piece)).copied().collect();
        (!pieces.is_empty()).then_some(Self { pieces })
    }

    /// The days it is about.
    pub(crate) fn days(&self) -> BTreeSet<i64> {
        let days = |(_, piece): &(usize, Piece)| match piece {
            Piece::Month(month) => month.days(),
            Piece::Day(day) | Piece::Edge { day, .. } => *day..day + 1,
        };
        self.pieces.iter().flat_map(days).collect()
    }

    fn takes(&self, bucket: usize, piece: Piece) -> bool {
        let (Some((first, _)), Some((_, last))) = (self.pieces.first(), self.pieces.last()) else { return true };
        let alike = match (last, piece) {
            (Piece::Month(_), Piece::Month(_)) => true,
            (Piece::Month(_), _) | (_, Piece::Month(_)) => false,
            (last, piece) => last.month() == piece.month(),
        };
        alike && bucket - first < MOST_BUCKETS
    }
}

/// What is read for these buckets, in the order of time: months and days that lie in them whole,
/// and what sticks out of those. Together they are the buckets, and nothing of them twice.
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

/// The same, where sums of whole days do not help: only the stretches tell.
pub(crate) fn plan_of_edges(buckets: &[Bucket]) -> Vec<Step> {
    steps(buckets, |_, _| None)
}

fn steps(buckets: &[Bucket], whole: impl Fn(Millis, Millis) -> Option<Piece>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (position, bucket) in buckets.iter().enumerate() {
        let (mut at, end) = (bucket.range.start(), bucket.range.end());
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
            match steps.last_mut() {
                Some(step) if step.takes(position, piece) => step.pieces.push((position, piece)),
                _ => steps.push(Step { pieces: vec![(position, piece)] }),
            }
            at = next;
        }
    }
    steps
}
