use contracts::{Code, Millis, WINDOW_AHEAD};

use super::{Next, QuarantineReason};

/// The reason to quarantine a window from a computer with a wrong clock; none if its time is
/// plausible. A window that ends more than 5 minutes in the future is tried again 5 minutes before
/// its end. A window that began before `earliest` (a computer with a dead battery shows 1970 or
/// 1980) waits for an admin.
pub(crate) fn untimely(start: Millis, end: Millis, earliest: Millis, now: Millis) -> Option<QuarantineReason> {
    if start < earliest {
        Some(QuarantineReason { code: Code::ClockBehind, next: Next::Admin })
    } else if end > now + WINDOW_AHEAD {
        Some(QuarantineReason { code: Code::ClockAhead, next: Next::At(end - WINDOW_AHEAD) })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use contracts::{DAY, HOUR};
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_760_000_000_000);
    const EARLIEST: Millis = Millis(978_307_200_000);

    #[test]
    fn a_window_may_end_five_minutes_ahead_and_begin_at_the_earliest_moment() {
        let judged = |start, end| untimely(start, end, EARLIEST, NOW);
        assert_eq!(judged(NOW - HOUR, NOW + WINDOW_AHEAD), None);
        assert_eq!(judged(EARLIEST, EARLIEST + HOUR), None);
        let ahead = QuarantineReason { code: Code::ClockAhead, next: Next::At(NOW + 1) };
        assert_eq!(judged(NOW - HOUR, NOW + WINDOW_AHEAD + 1), Some(ahead));
        let behind = QuarantineReason { code: Code::ClockBehind, next: Next::Admin };
        assert_eq!(judged(EARLIEST - 1, EARLIEST + HOUR), Some(behind));
    }

    proptest! {
        #[test]
        fn a_window_that_is_ahead_is_recorded_exactly_when_its_time_has_come(
            start in -DAY..3 * DAY, length in 1..DAY, later in 0..5 * DAY,
        ) {
            let (start, end) = (NOW + start, NOW + start + length);
            let at_first = untimely(start, end, EARLIEST, NOW);
            let due = match at_first {
                None => NOW,
                Some(QuarantineReason { code: Code::ClockAhead, next: Next::At(due) }) => due,
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            prop_assert_eq!(due, NOW.max(end - WINDOW_AHEAD));
            let then = NOW + later;
            prop_assert_eq!(untimely(start, end, EARLIEST, then).is_none(), then >= due);
        }

        #[test]
        fn no_time_however_far_breaks_the_rule(start: i64, end: i64, earliest: i64, now: i64) {
            let judged = untimely(Millis(start), Millis(end), Millis(earliest), Millis(now));
            let behind = judged.is_some_and(|reason| reason.code == Code::ClockBehind);
            prop_assert_eq!(behind, start < earliest);
        }
    }
}
