use std::collections::BTreeSet;

use super::{
    Outcome,
    recomputed::recomputed,
    state::{FactRow, State, WindowRow},
};

/// Checks I3: the sums of analytics by employee, day, project and task equal those of the stored
/// windows, and the fact of each window has the content of the window.
pub(crate) fn counted(state: &State) -> Outcome {
    let mut outcome = Outcome::new("I3 analytics equal the windows");
    let expected = recomputed(&state.windows);
    let groups: BTreeSet<_> = expected.keys().chain(state.reported.keys()).collect();
    for group in groups {
        let (is, must) = (state.reported.get(group), expected.get(group));
        outcome
            .check(is == must, group.employee, || format!("analytics say {is:?} of {group:?}, the windows {must:?}"));
    }
    for row in &state.windows {
        let fact = state.facts.get(&row.window.id);
        let is_same = fact.is_some_and(|fact| *fact == of(row));
        outcome.check(is_same, row.window.id, || format!("the fact is {fact:?}, the window {row:?}"));
    }
    let (facts, windows) = (state.facts.len(), state.windows.len());
    outcome.check(facts <= windows, "facts", || format!("there are {facts} facts of {windows} windows"));
    outcome
}

fn of(WindowRow { revision, voided, window }: &WindowRow) -> FactRow {
    FactRow {
        id: window.id,
        revision: *revision,
        employee: window.employee_id,
        project: window.project_id,
        task: window.task_id,
        start: window.start,
        end: window.end,
        billable: window.billable,
        overtime: window.overtime,
        rates: contracts::Rates {
            bill_rate: window.bill_rate,
            overtime_bill_rate: window.overtime_bill_rate,
            pay_rate: window.pay_rate,
            overtime_pay_rate: window.overtime_pay_rate,
        },
        voided: *voided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kill::check::tests::{only, window};

    fn state() -> State {
        let windows = vec![window(1, 0), window(2, 1)];
        let facts = windows.iter().map(|row| (row.window.id, of(row))).collect();
        State { reported: recomputed(&windows), windows, facts, ..State::default() }
    }

    #[test]
    fn sums_that_equal_the_windows_are_no_finding() {
        assert_eq!(counted(&state()).findings, []);
    }

    #[test]
    fn a_millisecond_too_much_and_a_cent_too_little_are_found() {
        let mut more = state();
        more.reported.values_mut().for_each(|sum| sum.time += 1);
        assert!(only(&counted(&more)).contains("analytics say"));
        let mut less = state();
        less.reported.values_mut().for_each(|sum| sum.income -= 1);
        assert!(only(&counted(&less)).contains("analytics say"));
    }

    #[test]
    fn a_fact_that_is_missing_or_of_an_older_revision_is_found() {
        let mut older = state();
        older.windows[0].revision += 1;
        assert!(only(&counted(&older)).contains("the fact is"));
    }
}
