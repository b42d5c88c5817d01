//! The rule for overlapping windows of an employee: every moment counts once.

use crate::{Millis, TimeRange, WindowId};

/// A window, and the part of the window that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<W> {
    /// The window.
    pub window: W,
    /// The part of the window that counts; none if earlier windows cover all of it.
    pub counts: Option<TimeRange>,
}

impl<W> Counted<W> {
    /// The time in the window that does not count, in milliseconds. The API shows it as
    /// `negativeTime`. `whole` is the range of the window.
    pub fn negative(&self, whole: TimeRange) -> i64 {
        whole.length() - self.counts.map_or(0, TimeRange::length)
    }
}

/// Computes the part of each window that counts. All windows must be of one employee. Where windows
/// overlap, the window with the earlier start counts. If the starts are equal, the window with the
/// smaller id counts.
///
/// The part that counts is always the end of a window, in one piece, because earlier windows can
/// only cover its beginning. The result for a window is right if `windows` contains all windows
/// that overlap it. So load all windows that start up to 24 hours (the longest window) before the
/// first window that you need. The result is ordered by start and id.
pub fn counted<W>(mut windows: Vec<W>, key: impl Fn(&W) -> (TimeRange, WindowId)) -> Vec<Counted<W>> {
    windows.sort_by_key(|w| {
        let (range, id) = key(w);
        (range.start(), id)
    });
    let mut covered = Millis(i64::MIN);
    windows
        .into_iter()
        .map(|window| {
            let (range, _) = key(&window);
            let counts = TimeRange::new(range.start().max(covered), range.end()).ok();
            covered = covered.max(range.end());
            Counted { window, counts }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn window(start: i64, length: i64, id: u128) -> (TimeRange, WindowId) {
        let range = TimeRange::new(Millis(start), Millis(start + length)).expect("a range");
        (range, WindowId(Uuid::from_u128(id)))
    }

    #[test]
    fn the_earlier_start_counts_and_the_smaller_id_where_they_tie() {
        let counts = |a, b| counted(vec![a, b], |w| *w).iter().map(|c| c.negative(c.window.0)).collect::<Vec<_>>();
        assert_eq!(counts(window(5, 10, 1), window(0, 10, 2)), [0, 5]);
        assert_eq!(counts(window(0, 10, 2), window(0, 10, 1)), [0, 10]);
        assert_eq!(counts(window(0, 10, 1), window(10, 10, 2)), [0, 0]);
    }

    proptest! {
        #[test]
        fn every_millisecond_that_some_window_covers_counts_exactly_once(
            starts in prop::collection::vec((0..60i64, 1..20i64), 0..12)
        ) {
            let windows: Vec<_> = starts.iter().zip(1..).map(|((s, l), id)| window(*s, *l, id)).collect();
            let result = counted(windows.clone(), |w| *w);
            for at in 0..80 {
                let holds = |r: TimeRange| r.start().0 <= at && at < r.end().0;
                let covered = windows.iter().any(|(r, _)| holds(*r));
                let counting: Vec<_> = result.iter().filter(|c| c.counts.is_some_and(holds)).collect();
                prop_assert_eq!(counting.len(), usize::from(covered));
                // The window that counts must be the earliest of all windows at this moment.
                if let Some(winner) = counting.first() {
                    let first = windows.iter().filter(|(r, _)| holds(*r)).map(|(r, id)| (r.start(), *id)).min();
                    prop_assert_eq!(Some((winner.window.0.start(), winner.window.1)), first);
                }
            }
        }
    }
}
