//! The parts of some ranges of time that other ranges do not cover.

use crate::{Millis, TimeRange};

/// Returns the parts of `stretches` that no range in `others` covers.
pub fn uncovered(stretches: &[TimeRange], others: &[TimeRange]) -> Vec<TimeRange> {
    let mut others: Vec<TimeRange> = others.to_vec();
    others.sort_by_key(|other| other.start());
    let mut left = Vec::new();
    for stretch in stretches {
        let mut at: Millis = stretch.start();
        for other in others.iter().filter(|other| other.clip(*stretch).is_some()) {
            left.extend(TimeRange::new(at, other.start().min(stretch.end())));
            at = at.max(other.end());
        }
        left.extend(TimeRange::new(at, stretch.end()));
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges() -> impl Strategy<Value = Vec<TimeRange>> {
        let range = (0..40i64, 1..12i64)
            .prop_map(|(start, length)| TimeRange::new(Millis(start), Millis(start + length)).expect("a range"));
        prop::collection::vec(range, 0..6)
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_no_other_covers_moment_by_moment(one in ranges(), others in ranges()) {
            let covers = |all: &[TimeRange], at: i64| all.iter().any(|r| r.start().0 <= at && at < r.end().0);
            for stretch in &one {
                let left = uncovered(std::slice::from_ref(stretch), &others);
                for at in 0..60 {
                    let expected = covers(std::slice::from_ref(stretch), at) && !covers(&others, at);
                    prop_assert_eq!(covers(&left, at), expected, "at {}", at);
                }
            }
        }
    }
}
