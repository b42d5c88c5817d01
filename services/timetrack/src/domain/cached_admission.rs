use contracts::{IngestItem, Millis, TimeRange};

use super::{Admitted, Bindings, admission::admit_by, known_part};

/// Admits a window if no later event can change the decision, from bindings that are complete up to
/// a moment. None for every refusal. None also for a window that is admitted only by bindings that
/// began shortly before that moment: another binding may have ended earlier, and the event about
/// that may still be on its way.
pub(crate) fn yes(item: &IngestItem, bindings: &Bindings, complete_up_to: Option<Millis>) -> Option<Admitted> {
    let window = TimeRange::new(item.window.start, item.window.end).ok()?;
    admit_by(item, known_part(window, complete_up_to)?, window, bindings)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use contracts::{Payee, PayrollLine, ProjectTerm, Rate, SECOND, Term};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        Admission, Binding, BindingKey,
        admission::tests::{ann, item},
        admit,
    };

    /// A change of one of the five bindings or of a rate: `after` milliseconds after the previous
    /// change, and published `told_after` milliseconds after it happened.
    #[derive(Clone, Copy, Debug)]
    struct Change {
        party: u8,
        after: i64,
        told_after: i64,
    }

    fn change() -> impl Strategy<Value = Change> {
        (0..6u8, 0..4 * SECOND, 0..4 * SECOND).prop_map(|(party, after, told_after)| Change {
            party,
            after,
            told_after,
        })
    }

    /// Ends the last term if it is open; otherwise begins a new one.
    fn turn(terms: &mut Vec<Term>, at: Millis) {
        match terms.last_mut() {
            Some(last) if last.is_open() => last.end(at),
            last => {
                let last = last.copied();
                terms.push(Term::after(last, at));
            }
        }
    }

    /// The assignment began one second before the moment up to which the bindings are complete. The
    /// project may have been archived before that, with the event still on its way.
    #[test]
    fn an_assignment_of_the_last_seconds_makes_no_yes_final() {
        let mut case = ann();
        let (known, began) = (Millis(100 * SECOND), Millis(99 * SECOND));
        case.assignment.terms.iter_mut().for_each(|on| on.term = Term { from: Some(began), until: None });
        case.member.terms = vec![Term::ALWAYS];
        let (sent, range) = item(10 * SECOND, 101 * SECOND);
        let told: Bindings = case.clone().parties().into_iter().collect();
        assert!(matches!(admit(&sent, range, &told), Admission::Admitted(_)), "it is admitted if nothing follows");
        assert_eq!(yes(&sent, &told, Some(known)), None);
        assert!(yes(&sent, &told, Some(known + 10 * SECOND)).is_some(), "nothing of then is on its way any more");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// The history of all five bindings and of a rate. A cache has applied the events that were
        /// published before some moment. If the cache admits a window, a database with the same
        /// events admits it with the same values, and a database with all events admits it too.
        #[test]
        fn a_yes_from_memory_is_the_database_s_whatever_happens_later(
            changes in prop::collection::vec(change(), 0..25),
            heard_by in 0..80 * SECOND,
            window in (0..60 * SECOND, 1..20 * SECOND),
        ) {
            let mut case = ann();
            case.employee.0.active = Some(vec![Term::ALWAYS]);
            case.project.open = Some(vec![Term::ALWAYS]);
            case.task.projects = Some(vec![ProjectTerm { project_id: case.task.project_id, term: Term::ALWAYS }]);
            let mut told: Vec<(i64, Binding)> = case.clone().parties().map(|party| (i64::MIN, party)).into();
            let mut now = 0;
            for (n, Change { party, after, told_after }) in changes.into_iter().enumerate() {
                now += after;
                let at = Millis(now);
                let version = 2 + n as i64;
                match party {
                    0 => turn(case.employee.0.active.as_mut().unwrap(), at),
                    1 => turn(case.project.open.as_mut().unwrap(), at),
                    2 => {
                        let projects = case.task.projects.as_mut().unwrap();
                        let mut terms: Vec<Term> = projects.iter().map(|on| on.term).collect();
                        turn(&mut terms, at);
                        let on = |term| ProjectTerm { project_id: case.task.project_id, term };
                        *projects = terms.into_iter().map(on).collect();
                    }
                    3 => turn(&mut case.member.terms, at),
                    4 => {
                        let mut terms: Vec<Term> = case.assignment.terms.iter().map(|on| on.term).collect();
                        turn(&mut terms, at);
                        let member_term = case.member.terms.len() as u32 - 1;
                        let known = case.assignment.terms.clone();
                        let on = |(n, term): (usize, Term)| contracts::TaskTerm {
                            term,
                            member_term: known.get(n).map_or(member_term, |on| on.member_term),
                        };
                        case.assignment.terms = terms.into_iter().enumerate().map(on).collect();
                    }
                    _ => {
                        let rate = Rate::try_from(f64::from(n as u32 + 1)).ok();
                        let line = PayrollLine { bill_rate: rate, ..PayrollLine::default() };
                        case.project.payroll.0.insert(Payee::Everybody, line);
                    }
                }
                case.employee.0.version = version;
                case.project.version = version;
                case.task.version = version;
                case.member.version = version;
                case.assignment.version = version;
                let place = match party { 0 => 0, 1 | 5 => 1, 2 => 2, 3 => 3, _ => 4 };
                told.push((now + told_after, case.clone().parties()[place].clone()));
            }
            let known_by = |moment: i64| -> Bindings {
                let mut newest: HashMap<BindingKey, Binding> = HashMap::new();
                for (_, party) in told.iter().filter(|(at, _)| *at < moment) {
                    let known = newest.entry(party.key()).or_insert_with(|| party.clone());
                    if known.version() < party.version() {
                        *known = party.clone();
                    }
                }
                newest.into_values().collect()
            };
            let (sent, range) = item(window.0, window.0 + window.1);
            if let Some(terms) = yes(&sent, &known_by(heard_by), Some(Millis(heard_by))) {
                prop_assert_eq!(admit(&sent, range, &known_by(heard_by)), Admission::Admitted(terms));
                let later = admit(&sent, range, &known_by(i64::MAX));
                prop_assert!(matches!(later, Admission::Admitted(_)), "{:?}", later);
            }
            prop_assert_eq!(yes(&sent, &known_by(heard_by), None), None);
        }
    }
}
