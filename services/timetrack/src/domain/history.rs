//! Tests that compare the rule of [`admit`](super::admit) with a brute-force check, over histories
//! of all five bindings.

use contracts::{Code, FormerTerms, Millis, ProjectId, ProjectTerm, TaskTerm, Term};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Admission, admission::tests::ann};

/// Whether some condition is true at a moment.
type Condition<'a> = Box<dyn Fn(i64) -> bool + 'a>;

/// The moments at which a condition changes: it is true at first, then false, true, and so on.
type Turns = Vec<i64>;

fn turns() -> impl Strategy<Value = Turns> {
    let lengths = prop::collection::vec(0..12i64, 0..5);
    lengths.prop_map(|lengths| {
        lengths
            .into_iter()
            .scan(0, |at, length| {
                *at += length;
                Some(*at)
            })
            .collect()
    })
}

/// Whether the condition is true at a moment: it is after an even number of changes.
fn holds(turns: &Turns, at: i64) -> bool {
    turns.iter().filter(|turn| **turn <= at).count() % 2 == 0
}

/// The times at which the condition is true, as terms.
fn terms(turns: &Turns) -> Vec<Term> {
    let mut terms = vec![Term::ALWAYS];
    for (n, turn) in turns.iter().enumerate() {
        match n % 2 {
            0 => terms.last_mut().unwrap().end(Millis(*turn)),
            _ => terms.push(Term::after(terms.last().copied(), Millis(*turn))),
        }
    }
    terms
}

/// The index of the term that contains a moment.
fn stretch(turns: &Turns, at: i64) -> usize {
    turns.iter().filter(|turn| **turn <= at).count() / 2
}

/// The history of a task that moves between two projects. With `deleted`, its last move is its
/// deletion.
#[derive(Clone, Debug)]
struct Moves {
    at: Turns,
    deleted: bool,
}

fn project(n: usize) -> ProjectId {
    ProjectId(Uuid::from_u128(if n.is_multiple_of(2) { 2 } else { 7 }))
}

impl Moves {
    fn project_at(&self, at: i64) -> Option<ProjectId> {
        let moves = self.at.iter().filter(|moved| **moved <= at).count();
        (!self.deleted || moves < self.at.len()).then(|| project(moves))
    }

    fn told(&self) -> Vec<ProjectTerm> {
        let mut told = vec![ProjectTerm { project_id: project(0), term: Term::ALWAYS }];
        for (n, at) in self.at.iter().enumerate() {
            let last = told.last_mut().unwrap();
            last.term.end(Millis(*at));
            let term = Term::after(Some(last.term), Millis(*at));
            if !(self.deleted && n + 1 == self.at.len()) {
                told.push(ProjectTerm { project_id: project(n + 1), term });
            }
        }
        told
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_window_is_recorded_exactly_when_all_five_held_at_some_moment_of_it(
        active in turns(),
        open in turns(),
        moves in (turns(), any::<bool>()).prop_map(|(at, deleted)| Moves { deleted: deleted && !at.is_empty(), at }),
        member in turns(),
        assigned in turns(),
        member_terms in prop::collection::vec(0..3u32, 3),
        on_former in any::<bool>(),
        deleted_project in any::<bool>(),
        window in (0..40i64, 1..10i64),
    ) {
        let mut case = ann();
        case.employee.0.active = Some(terms(&active));
        (case.project.open, case.project.deleted) = (Some(terms(&open)), deleted_project);
        case.task.projects = Some(moves.told());
        case.member.terms = terms(&member);
        let task_terms = terms(&assigned).into_iter().zip(&member_terms);
        let task_terms: Vec<_> = task_terms.map(|(term, of)| TaskTerm { term, member_term: *of }).collect();
        case.assignment.terms = task_terms.clone();
        if on_former {
            let former = FormerTerms { project_id: case.assignment.project_id, terms: task_terms };
            let here = vec![TaskTerm { term: Term::ALWAYS, member_term: 0 }];
            case.assignment.project_id = project(1);
            (case.assignment.former, case.assignment.terms) = (vec![former], here);
        }

        let parties: [(Code, Condition); 5] = [
            (Code::EmployeeDeactivated, Box::new(|at| holds(&active, at))),
            (
                if deleted_project { Code::UnknownProject } else { Code::ProjectArchived },
                Box::new(|at| holds(&open, at)),
            ),
            (Code::UnknownTask, Box::new(|at| moves.project_at(at) == Some(project(0)))),
            (Code::NotOnProject, Box::new(|at| holds(&member, at))),
            (Code::NotOnTask, Box::new(|at| {
                holds(&assigned, at) && stretch(&member, at) == member_terms[stretch(&assigned, at)] as usize
            })),
        ];
        let mut moments: Vec<i64> = (window.0..window.0 + window.1).collect();
        let refused = parties.iter().find_map(|(code, condition)| {
            moments.retain(|at| condition(*at));
            moments.is_empty().then_some(*code)
        });
        match case.admit(window.0, window.0 + window.1) {
            Admission::Admitted(_) => prop_assert_eq!(refused, None),
            Admission::Refused(code) => prop_assert_eq!(refused, Some(code)),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
