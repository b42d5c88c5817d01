use contracts::{IngestItem, Millis, TimeRange};

use super::{Admission, Admitted, Bindings, admit, yes_is_final};

/// Admits a window finally, from cached bindings and the moment up to which they are complete. None if the
/// database must decide: for each refusal, and for a window that begins after that moment.
pub(crate) fn yes(item: &IngestItem, remembered: &Bindings, complete_up_to: Option<Millis>) -> Option<Admitted> {
    if !yes_is_final(item.window.start, complete_up_to) {
        return None;
    }
    let range = TimeRange::new(item.window.start, item.window.end).ok()?;
    match admit(item, range, remembered) {
        Admission::Admitted(admitted) => Some(admitted),
        Admission::Early(_) | Admission::Unbound(_) | Admission::Refused(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use contracts::{Payee, PayrollLine, ProjectTerm, Rate, SECOND, Term};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        Binding, BindingKey,
        admission::tests::{ann, item},
    };

    /// A change of one of the five bindings, this long after the previous one, and published this long after it
    /// happened.
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

    /// Ends a term that is open, or begins a new one.
    fn turn(terms: &mut Vec<Term>, at: Millis) {
        match terms.last_mut() {
            Some(last) if last.is_open() => last.end(at),
            last => {
                let last = last.copied();
                terms.push(Term::after(last, at));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// A history of all five bindings and of a rate, of which a cache has applied what was published by some
        /// moment. Whatever it admits, a database with the same events admits with the same terms, and so does one
        /// with the whole history.
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
