use serde::{Deserialize, Serialize};

use crate::{LineSince, Millis, PayrollLine};

/// The history of one line of a project's payroll, in the order of the changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineHistory(pub Vec<LineSince>);

/// A quarter of an hour, in milliseconds. Time zones differ from UTC by whole quarters of an hour,
/// so two changes in the same quarter are on the same day in every time zone.
const QUARTER: i64 = 15 * 60 * crate::SECOND;
/// The maximum number of stored changes. When the oldest change is dropped, the next one is taken
/// to be valid for all time before it.
const MOST_LINES: usize = 500;

impl LineHistory {
    /// Records a change of the line from `was` to `now`. At the first change, `was` is recorded as
    /// valid for all time before.
    pub fn set(&mut self, was: Option<PayrollLine>, now: Option<PayrollLine>, at: Millis) {
        if self.0.is_empty() {
            self.0.push(LineSince { since: None, line: was });
        }
        // A change is never recorded before the previous one, even if the clocks of the machines
        // differ. So the history stays in order.
        let at = self.0.last().and_then(|last| last.since).map_or(at, |last| last.max(at));
        let quarter = |at: Millis| at.0.div_euclid(QUARTER);
        // Drops earlier changes of the same quarter of an hour: such a line was replaced on the day
        // on which it was set, so it is valid on no day. A removal keeps the line before it,
        // because a removed line is valid until the end of the day.
        while let Some(LineSince { since: Some(since), line }) = self.0.last()
            && quarter(*since) == quarter(at)
            && (now.is_some() || line.is_none())
        {
            self.0.pop();
        }
        self.0.push(LineSince { since: Some(at), line: now });
        if self.0.len() > MOST_LINES {
            self.0.remove(0);
            self.0[0].since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;

    fn line(units: i64) -> PayrollLine {
        PayrollLine { bill_rate: Some(Rate::from_units(units).expect("a rate")), ..PayrollLine::default() }
    }

    #[test]
    fn a_client_that_changes_the_payroll_all_the_time_fills_no_event() {
        let mut history = LineHistory::default();
        for minute in 0..100_000 {
            history.set(Some(line(minute)), Some(line(minute + 1)), Millis(minute * 60_000));
        }
        assert_eq!((history.0.len(), history.0[0].since), (MOST_LINES, None));
    }
}
