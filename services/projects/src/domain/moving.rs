use std::collections::HashSet;

use contracts::{Code, EmployeeState, Failure, ProjectId};

use super::Member;

/// Which projects an employee leaves and joins when the list of their projects is replaced.
///
/// A membership from before a deactivation has ended, even if the consumer of the deactivation has
/// not stored that yet. A listed project with such a membership is both left and joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) leaving: Vec<ProjectId>,
    pub(crate) joining: Vec<ProjectId>,
}

impl Move {
    /// Compares the current memberships with the listed projects.
    pub(crate) fn between(on: &[Member], listed: &[ProjectId], employee_state: Option<&EmployeeState>) -> Self {
        let wanted: HashSet<_> = listed.iter().copied().collect();
        let holds =
            |member: &&Member| employee_state.is_some_and(|employee_state| employee_state.epoch <= member.epoch);
        let stays = |member: &&Member| wanted.contains(&member.project) && holds(member);
        let staying: HashSet<_> = on.iter().filter(stays).map(|member| member.project).collect();
        let moves = |id: &ProjectId| !staying.contains(id);
        Self {
            leaving: on.iter().map(|member| member.project).filter(moves).collect(),
            joining: listed.iter().copied().filter(moves).collect(),
        }
    }
}

/// The failure for a project that does not exist.
pub(crate) fn unknown_project() -> Failure {
    Failure::new(Code::UnknownProject, "One of the projects does not exist. Create it first, or leave it out.")
}

#[cfg(test)]
mod tests {
    use contracts::{EmployeeId, Millis};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn project(n: u128) -> ProjectId {
        ProjectId(Uuid::from_u128(n))
    }

    fn on(n: u128, epoch: i64) -> Member {
        let mut member = Member::new(project(n), EmployeeId(Uuid::nil()));
        member.put_on(epoch, Millis(0));
        member
    }

    fn employee_state(epoch: i64) -> Option<EmployeeState> {
        Some(EmployeeState { id: EmployeeId(Uuid::nil()), version: 1, epoch, deactivated_at: None, active: None })
    }

    #[test]
    fn a_membership_from_before_a_deactivation_is_left_and_joined_anew() {
        let moved = Move::between(&[on(1, 0)], &[project(1)], employee_state(1).as_ref());
        assert_eq!(moved, Move { leaving: vec![project(1)], joining: vec![project(1)] });
    }

    proptest! {
        #[test]
        fn whoever_moves_is_then_on_exactly_what_is_listed(
            on_now in prop::collection::btree_set(0..9_u128, 0..6), listed in prop::collection::btree_set(0..9_u128, 0..6),
        ) {
            let members: Vec<_> = on_now.iter().map(|n| on(*n, 3)).collect();
            let listed: Vec<_> = listed.into_iter().map(project).collect();
            let moved = Move::between(&members, &listed, employee_state(3).as_ref());
            let mut then: HashSet<_> = members.iter().map(|member| member.project).collect();
            for id in &moved.leaving {
                prop_assert!(then.remove(id) && !listed.contains(id));
            }
            for id in &moved.joining {
                prop_assert!(then.insert(*id), "nobody joins what they are on");
            }
            prop_assert_eq!(then, listed.into_iter().collect());
        }
    }
}
