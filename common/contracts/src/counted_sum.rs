//! The rule for how much time and money of an employee's windows counts in a range. Analytics and
//! timetrack share this rule.

use std::{fmt, iter, ops, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AdjustedSum, Money, PricedPart, ProjectId, Rate, TaskId, TimeRange, WindowFact, WindowId, counted};

/// A 128-bit hash of counted time: which milliseconds count, for which project and task, and at
/// which rates. Two different sets of counted time have different hashes, unless two hashes are
/// equal by chance.
///
/// The marks of adjoining ranges add up to the mark of the whole range, in any order, like time and
/// money. So the mark of each day can be stored next to the sums of the day, and added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{32}$", example = "5f1c0de2a9b34c7788d0e1f2a3b4c5d6")]
pub struct TimeMark(pub u128);

impl TimeMark {
    /// The mark of a range of time on this task, at these rates.
    pub fn of(project: ProjectId, task: TaskId, cost: Rate, income: Rate, range: TimeRange) -> Self {
        let (project, task) = (project.0.as_u64_pair(), task.0.as_u64_pair());
        let rates = [cost.units(), income.units()].map(i64::cast_unsigned);
        let work = mixed([project.0, project.1, task.0, task.1, rates[0], rates[1]]) | 1;
        let moment = |at: i64| mixed([at.cast_unsigned()]);
        Self(work.wrapping_mul(moment(range.end().0).wrapping_sub(moment(range.start().0))))
    }

    /// The mark of an adjustment.
    pub fn of_adjustment(window: WindowId, sum: AdjustedSum) -> Self {
        let (high, low) = window.0.as_u64_pair();
        let [time, costs, income] = [sum.time, sum.costs.0, sum.income.0].map(i64::cast_unsigned);
        Self(mixed([high, low, time, costs, income]))
    }
}

/// Hashes some numbers to 128 bits. This function is frozen: services of several versions store
/// marks and compare them.
fn mixed<const N: usize>(words: [u64; N]) -> u128 {
    let finish = |mut word: u64| {
        word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        word ^ (word >> 33)
    };
    let (mut high, mut low) = (0x9e37_79b9_7f4a_7c15_u64, 0x2545_f491_4f6c_dd1d_u64);
    for word in words {
        high = finish(high ^ word);
        low = finish(low.wrapping_add(word.rotate_left(29)) ^ high);
    }
    (u128::from(high) << 64) | u128::from(low)
}

impl ops::Add for TimeMark {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl ops::AddAssign for TimeMark {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl iter::Sum for TimeMark {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), ops::Add::add)
    }
}

impl fmt::Display for TimeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The error for a text that is not the text form of a [`TimeMark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 hexadecimal digits")]
pub struct InvalidMark;

impl FromStr for TimeMark {
    type Err = InvalidMark;

    fn from_str(text: &str) -> Result<Self, InvalidMark> {
        let digits = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if digits { u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidMark) } else { Err(InvalidMark) }
    }
}

impl Serialize for TimeMark {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeMark {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An exact sum of time and money. The money is not rounded to cents yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountedSum {
    /// The time, in milliseconds.
    pub time: i64,
    /// The cost.
    pub costs: Money,
    /// The income.
    pub income: Money,
    /// The hash of the time that was counted.
    pub mark: TimeMark,
}

impl CountedSum {
    /// The time and money of one employee's windows that count in a range. The sum is right if
    /// `facts` contains all windows that start before the end of the range and not more than a day
    /// (the longest window) before its start. With `count_overlaps`, overlapping windows all count
    /// in full.
    pub fn of(facts: impl IntoIterator<Item = WindowFact>, range: TimeRange, count_overlaps: bool) -> Self {
        let whole = |fact: &WindowFact| TimeRange::new(fact.start, fact.end).ok();
        let facts = facts.into_iter().filter(|fact| !fact.voided);
        let windows: Vec<(TimeRange, WindowFact)> = facts.filter_map(|fact| Some((whole(&fact)?, fact))).collect();
        let mut sum = Self::default();
        for one in counted(windows, |(range, fact)| (*range, fact.id)) {
            let (window, fact) = one.window;
            let counts = if count_overlaps { Some(window) } else { one.counts };
            if let Some(inside) = counts.and_then(|counts| counts.clip(range)) {
                fact.parts_within(inside).for_each(|part| sum += Self::of_part(&fact, part));
            }
        }
        sum
    }

    fn of_part(fact: &WindowFact, PricedPart { range, cost, income }: PricedPart) -> Self {
        let time = range.length();
        Self {
            time,
            costs: Money::of(cost, time),
            income: Money::of(income, time),
            mark: TimeMark::of(fact.project_id, fact.task_id, cost, income, range),
        }
    }
}

impl ops::AddAssign for CountedSum {
    fn add_assign(&mut self, other: Self) {
        self.time += other.time;
        self.costs += other.costs;
        self.income += other.income;
        self.mark += other.mark;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::Millis;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(Millis(start), Millis(end)).expect("a range")
    }

    fn mark((project, task, cost, income): (u128, u128, i64, i64), range: TimeRange) -> TimeMark {
        let rate = |units| Rate::from_units(units).expect("a rate");
        let (project, task) = (ProjectId(Uuid::from_u128(project)), TaskId(Uuid::from_u128(task)));
        TimeMark::of(project, task, rate(cost), rate(income), range)
    }

    fn work() -> impl Strategy<Value = (u128, u128, i64, i64)> {
        (0..3u128, 0..3u128, 0..3i64, 0..3i64)
    }

    #[test]
    fn the_layout_of_a_mark_is_frozen_and_its_text_is_read_again() {
        let frozen = mark((1, 2, 300_000, 500_000), range(1_760_000_000_000, 1_760_003_600_000));
        assert_eq!(frozen.to_string(), FROZEN);
        assert_eq!(FROZEN.parse(), Ok(frozen));
        for other in ["", "0", &FROZEN[1..], "+123456789012345678901234567890ab"] {
            assert_eq!(other.parse::<TimeMark>(), Err(InvalidMark), "{other}");
        }
    }

    const FROZEN: &str = "f825c1c6b1011790dadd572b0cd684f9";

    proptest! {
        #[test]
        fn marks_add_up_however_time_is_cut_and_in_any_order(
            work in work(), start in 0..1_000_000i64, cuts in prop::collection::vec(1..100_000i64, 1..9), turn: usize,
        ) {
            let ends: Vec<i64> = cuts.iter().scan(start, |at, length| { *at += length; Some(*at) }).collect();
            let mut pieces: Vec<TimeMark> =
                iter::once(&start).chain(&ends).zip(&ends).map(|(from, to)| mark(work, range(*from, *to))).collect();
            let half = turn % pieces.len();
            pieces.rotate_left(half);
            prop_assert_eq!(pieces.into_iter().sum::<TimeMark>(), mark(work, range(start, ends[ends.len() - 1])));
        }

        #[test]
        fn stretches_that_differ_in_anything_have_different_marks(
            a in (work(), 0..4i64, 1..4i64), b in (work(), 0..4i64, 1..4i64),
        ) {
            let of = |(work, start, length): (_, i64, i64)| mark(work, range(start, start + length));
            prop_assert_eq!(a == b, of(a) == of(b));
        }

        #[test]
        fn two_tasks_that_change_places_have_another_mark(a in work(), b in work(), cut in 1..9i64) {
            let both = |first, second| mark(first, range(0, cut)) + mark(second, range(cut, 10));
            prop_assert_eq!(a == b, both(a, b) == both(b, a));
        }
    }
}
