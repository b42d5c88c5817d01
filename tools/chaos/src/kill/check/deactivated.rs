use std::collections::HashMap;

use contracts::EmployeeId;

use super::{Outcome, state::State};
use crate::kill::ledger::{Away, Book};

/// Checks I5: after an answered deactivation and until a reactivation, the employee has no
/// membership and no assignment, no token of the employee is accepted, and no window of this time
/// is recorded.
pub(crate) fn gone(book: &Book, state: &State) -> Outcome {
    let mut outcome = Outcome::new("I5 who is deactivated is gone");
    for shown in &book.shown {
        let is_taken = (200..300).contains(&shown.status);
        outcome.check_at(shown.at, !is_taken, shown.employee, || {
            format!("a token was taken at {}: {}", shown.at, shown.status)
        });
    }
    let mut aways: HashMap<EmployeeId, Vec<&Away>> = HashMap::new();
    for away in &book.aways {
        aways.entry(away.employee).or_default().push(away);
    }
    for row in &state.windows {
        let window = &state.originals.get(&row.window.id).unwrap_or(row).window;
        for away in aways.get(&window.employee_id).into_iter().flatten() {
            // A window that ends after the reactivation may be recorded.
            let is_later = window.start > away.from && away.until.is_none_or(|until| window.end <= until);
            outcome.check_at(window.start, !is_later, window.employee_id, || {
                format!("was away since {}, and window {} begins at {}", away.from, window.id, window.start)
            });
        }
    }
    for away in book.aways.iter().filter(|away| away.until.is_none()) {
        let is_on = |open: bool, employee: EmployeeId| open && employee == away.employee;
        let edges = state.edges.members.iter().filter(|edge| is_on(edge.open, edge.key.employee)).count()
            + state.edges.assignments.iter().filter(|edge| is_on(edge.open, edge.key.employee)).count();
        outcome.check(edges == 0, away.employee, || format!("is deactivated and has {edges} edges"));
    }
    outcome
}

#[cfg(test)]
mod tests {
    use contracts::Millis;

    use super::*;
    use crate::kill::{
        check::tests::{ANN, edges, only, window},
        ledger::Shown,
    };

    fn away(until: Option<i64>) -> Book {
        Book { aways: vec![Away { employee: ANN, from: Millis(50), until: until.map(Millis) }], ..Book::default() }
    }

    #[test]
    fn a_token_that_is_taken_is_found() {
        let shown = |status| Book { shown: vec![Shown { employee: ANN, at: Millis(60), status }], ..Book::default() };
        assert!(only(&gone(&shown(200), &State::default())).contains("token"));
        assert_eq!(gone(&shown(401), &State::default()).findings, []);
        assert_eq!(gone(&shown(503), &State::default()).findings, []);
    }

    #[test]
    fn a_window_that_begins_while_they_are_away_is_found_and_none_before_and_after() {
        let mut row = window(1, 0);
        let mut found = |start, until| {
            (row.window.start, row.window.end) = (Millis(start), Millis(start + 5));
            gone(&away(until), &State { windows: vec![row.clone()], ..State::default() }).findings.len()
        };
        assert_eq!([found(50, None), found(51, None)], [0, 1]);
        assert_eq!([found(51, Some(60)), found(55, Some(60)), found(56, Some(60))], [1, 1, 0]);
    }

    #[test]
    fn an_edge_that_is_left_is_found() {
        let state = State { edges: edges(), ..State::default() };
        assert!(only(&gone(&away(None), &state)).contains("2 edges"));
    }
}
