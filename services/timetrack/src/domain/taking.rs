use std::collections::VecDeque;

use contracts::{EmployeeId, Millis, OverlapCursor, TimeRange, WindowId};

/// The employee, id and time range of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) employee: EmployeeId,
    pub(crate) id: WindowId,
    pub(crate) range: TimeRange,
}

impl Span {
    /// The position of this window in the order of employee, start and id.
    pub(crate) fn place(&self) -> OverlapCursor {
        OverlapCursor { employee_id: self.employee, start: self.range.start(), id: self.id }
    }
}

/// A window, and the windows that lose time to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taking {
    pub(crate) window: Span,
    /// The windows that lose time to this one, in order, each with the part that it loses.
    pub(crate) from: Vec<(Span, TimeRange)>,
}

/// Finds the windows that take time from others, by the rule of [`contracts::counted`]: every
/// moment counts for the window that starts first, and all other windows that cover the moment lose
/// it.
///
/// Windows must be pushed in the order of employee, start and id. The result is right for a window
/// if all windows of its employee that start up to 24 hours (the longest window) before it were
/// pushed.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// The windows that may still take time from later ones, each with the part that counts. They
    /// are in order of time, because these parts never overlap.
    open: VecDeque<(TimeRange, Taking)>,
    /// The present employee, and the latest end of their windows so far.
    covered: Option<(EmployeeId, Millis)>,
    settled: Option<OverlapCursor>,
}

impl Sweep {
    /// Adds the next window. Returns the windows that take time from others and that no later
    /// window can overlap.
    pub(crate) fn push(&mut self, next: Span) -> Vec<Taking> {
        let is_same = |employee: EmployeeId| employee == next.employee;
        let covered = self.covered.filter(|(employee, _)| is_same(*employee)).map(|(_, until)| until);
        let settled =
            self.settle(|counts, taking| !is_same(taking.window.employee) || counts.end() <= next.range.start());
        for (counts, taking) in &mut self.open {
            taking.from.extend(counts.clip(next.range).map(|taken| (next, taken)));
        }
        let (start, end) = (next.range.start(), next.range.end());
        let covered = covered.unwrap_or(start);
        if let Ok(counts) = TimeRange::new(start.max(covered), end) {
            self.open.push_back((counts, Taking { window: next, from: Vec::new() }));
        }
        self.covered = Some((next.employee, covered.max(end)));
        settled
    }

    /// Returns the remaining windows that take time, after the last window was pushed.
    pub(crate) fn finish(mut self) -> Vec<Taking> {
        self.settle(|_, _| true)
    }

    /// The position up to which the result is final, whatever windows follow.
    pub(crate) fn settled(&self) -> Option<OverlapCursor> {
        self.settled
    }

    fn settle(&mut self, is_over: impl Fn(&TimeRange, &Taking) -> bool) -> Vec<Taking> {
        let mut takings = Vec::new();
        while let Some((_, taking)) = self.open.pop_front_if(|(counts, taking)| is_over(counts, taking)) {
            self.settled = Some(taking.window.place());
            if !taking.from.is_empty() {
                takings.push(taking);
            }
        }
        takings
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::counted;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn windows() -> impl Strategy<Value = Vec<Span>> {
        let one = (0..3u128, 0..60i64, 1..25i64);
        prop::collection::vec(one, 0..24).prop_map(|all| {
            let span = |((employee, start, length), id): ((u128, i64, i64), u128)| Span {
                employee: EmployeeId(Uuid::from_u128(employee)),
                id: WindowId(Uuid::from_u128(id)),
                range: TimeRange::new(Millis(start), Millis(start + length)).expect("a range"),
            };
            let mut spans: Vec<Span> = all.into_iter().zip(1..).map(span).collect();
            spans.sort_by_key(Span::place);
            spans
        })
    }

    fn swept(windows: &[Span]) -> Vec<Taking> {
        let mut sweep = Sweep::default();
        let mut found: Vec<Taking> = windows.iter().flat_map(|window| sweep.push(*window)).collect();
        found.extend(sweep.finish());
        found
    }

    /// The expected result, computed moment by moment: how many milliseconds a window takes from
    /// another, by the ids of the two.
    fn brute(windows: &[Span]) -> BTreeMap<(WindowId, WindowId), i64> {
        let mut taken = BTreeMap::new();
        for at in (0..90).map(Millis) {
            let mut winners: BTreeMap<EmployeeId, WindowId> = BTreeMap::new();
            for window in windows.iter().filter(|w| w.range.start() <= at && at < w.range.end()) {
                let winner = *winners.entry(window.employee).or_insert(window.id);
                if winner != window.id {
                    *taken.entry((winner, window.id)).or_default() += 1;
                }
            }
        }
        taken
    }

    proptest! {
        #[test]
        fn who_takes_how_much_from_whom_is_what_brute_force_says(windows in windows()) {
            let found = swept(&windows);
            let pairs = found.iter().flat_map(|taking| {
                taking.from.iter().map(|(from, taken)| ((taking.window.id, from.id), taken.length()))
            });
            prop_assert_eq!(pairs.collect::<BTreeMap<_, _>>(), brute(&windows));
            prop_assert!(found.is_sorted_by_key(|taking| taking.window.place()));
        }

        #[test]
        fn what_is_taken_is_in_sum_what_does_not_count_of_the_others(windows in windows()) {
            let mut negative = 0;
            for employee in (0..3).map(|n| EmployeeId(Uuid::from_u128(n))) {
                let own: Vec<Span> = windows.iter().filter(|w| w.employee == employee).copied().collect();
                let counts = counted(own, |w| (w.range, w.id));
                negative += counts.iter().map(|c| c.negative(c.window.range)).sum::<i64>();
            }
            let taken: i64 = swept(&windows).iter().flat_map(|t| &t.from).map(|(_, taken)| taken.length()).sum();
            prop_assert_eq!(taken, negative);
        }

        #[test]
        fn whoever_stops_and_goes_on_after_what_was_settled_finds_the_same(windows in windows(), stop in 0..24usize) {
            let mut sweep = Sweep::default();
            let mut found = Vec::new();
            for window in windows.iter().take(stop) {
                found.extend(sweep.push(*window));
            }
            let settled = sweep.settled();
            prop_assert!(found.iter().all(|taking| settled.is_some_and(|settled| taking.window.place() <= settled)));
            // The longest window of this test has a length of 24.
            let from = |w: &&Span| settled.is_none_or(|s| {
                w.employee > s.employee_id || (w.employee == s.employee_id && w.range.start() > s.start - 24)
            });
            let rest: Vec<Span> = windows.iter().filter(from).copied().collect();
            found.extend(swept(&rest).into_iter().filter(|taking| settled.is_none_or(|s| taking.window.place() > s)));
            prop_assert_eq!(found, swept(&windows));
        }
    }
}
