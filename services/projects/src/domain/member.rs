use std::collections::{HashMap, HashSet};

use contracts::{EmployeeId, EmployeeState, MemberChanged, Millis, ProjectId, Term};

/// The edge between a project and an employee. It is kept after the membership has ended, so that
/// the indexes of its terms stay the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) project: ProjectId,
    pub(crate) employee: EmployeeId,
    /// The employee's epoch at the start of the last term. A deactivation raises the epoch and ends
    /// that term.
    pub(crate) epoch: i64,
    pub(crate) terms: Vec<Term>,
    pub(crate) version: i64,
}

impl Member {
    /// The edge of an employee who was never a member.
    pub(crate) fn new(project: ProjectId, employee: EmployeeId) -> Self {
        Self { project, employee, epoch: 0, terms: Vec::new(), version: 0 }
    }

    /// The index of the open term, to which assignments refer. None while the employee is not a
    /// member.
    pub(crate) fn open_term(&self) -> Option<u32> {
        let last = self.terms.last().filter(|term| term.until.is_none());
        last.map(|_| self.terms.len() as u32 - 1)
    }

    /// Whether the employee is a member now.
    pub(crate) fn is_on(&self) -> bool {
        self.open_term().is_some()
    }

    /// Makes the employee a member.
    pub(crate) fn put_on(&mut self, epoch: i64, now: Millis) {
        if !self.is_on() {
            self.terms.push(Term::after(self.terms.last().copied(), now));
            self.epoch = epoch;
            self.version += 1;
        }
    }

    /// Ends the membership.
    pub(crate) fn take_off(&mut self, at: Millis) {
        if let Some(open) = self.terms.last_mut().filter(|term| term.until.is_none()) {
            open.end(at);
            self.version += 1;
        }
    }

    /// The event about the last change of the edge.
    pub(crate) fn changed(&self) -> MemberChanged {
        let Self { project: project_id, employee: employee_id, version, .. } = *self;
        MemberChanged { project_id, employee_id, version, terms: self.terms.clone() }
    }
}

/// Which employees leave and which join when a project gets another list of employees.
///
/// A membership from before a deactivation has ended, even if the consumer of the deactivation has
/// not stored that yet. So an employee who is listed again both leaves and joins, and the consumer
/// then finds nothing to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turnover {
    pub(crate) leaving: Vec<EmployeeId>,
    pub(crate) joining: Vec<EmployeeId>,
}

impl Turnover {
    /// Compares the current members with the listed employees.
    pub(crate) fn between(on: &[Member], listed: &[EmployeeState]) -> Self {
        let epochs: HashMap<_, _> =
            listed.iter().map(|employee_state| (employee_state.id, employee_state.epoch)).collect();
        let stays = |member: &&Member| epochs.get(&member.employee).is_some_and(|epoch| *epoch <= member.epoch);
        let staying: HashSet<_> = on.iter().filter(stays).map(|member| member.employee).collect();
        let left_out = |id: &EmployeeId| !staying.contains(id);
        Self {
            leaving: on.iter().map(|member| member.employee).filter(left_out).collect(),
            joining: listed.iter().map(|employee_state| employee_state.id).filter(left_out).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn member(employee: u128) -> Member {
        Member::new(ProjectId(Uuid::nil()), EmployeeId(Uuid::from_u128(employee)))
    }

    fn on(employee: u128, epoch: i64) -> Member {
        let mut member = member(employee);
        member.put_on(epoch, Millis(0));
        member
    }

    fn listed(employee: u128, epoch: i64) -> EmployeeState {
        EmployeeState {
            id: EmployeeId(Uuid::from_u128(employee)),
            version: 1,
            epoch,
            deactivated_at: None,
            active: None,
        }
    }

    #[test]
    fn whoever_comes_back_gets_a_second_term_that_begins_then() {
        let mut member = on(1, 0);
        member.take_off(Millis(10));
        member.put_on(1, Millis(20));
        let first = Term { from: None, until: Some(Millis(10)) };
        let second = Term { from: Some(Millis(20)), until: None };
        assert_eq!((member.terms, member.epoch, member.version), (vec![first, second], 1, 3));
    }

    #[test]
    fn only_who_is_left_out_leaves_and_only_who_is_new_joins() {
        let turnover = Turnover::between(&[on(1, 0), on(2, 0)], &[listed(2, 0), listed(3, 0)]);
        assert_eq!(turnover.leaving, [EmployeeId(Uuid::from_u128(1))]);
        assert_eq!(turnover.joining, [EmployeeId(Uuid::from_u128(3))]);
    }

    #[test]
    fn whoever_was_deactivated_since_leaves_and_joins_anew() {
        let turnover = Turnover::between(&[on(1, 0)], &[listed(1, 1)]);
        assert_eq!(turnover.leaving, turnover.joining);
        assert_eq!(turnover.joining, [EmployeeId(Uuid::from_u128(1))]);
    }

    proptest! {
        /// The steps include clocks that go backwards, because the clocks of machines differ.
        #[test]
        fn terms_stay_in_order_and_only_the_last_is_open(
            steps in prop::collection::vec((any::<bool>(), 0..1_000_i64), 0..40),
        ) {
            let mut member = member(1);
            let mut changes = 0;
            for (put_on, at) in steps {
                changes += i64::from(put_on != member.is_on());
                if put_on { member.put_on(0, Millis(at)) } else { member.take_off(Millis(at)) }
                prop_assert_eq!(member.is_on(), put_on);
                prop_assert_eq!(member.version, changes);
                prop_assert_eq!(member.changed().is_on(), put_on);
            }
            let (mut last, terms) = (i64::MIN, member.terms.len());
            for (place, term) in member.terms.iter().enumerate() {
                prop_assert_eq!(term.from.is_none(), place == 0);
                let from = term.from.map_or(i64::MIN, |from| from.0);
                prop_assert!(from >= last);
                prop_assert!(term.until.is_some() || place == terms - 1);
                last = term.until.map_or(last, |until| until.0);
                prop_assert!(last >= from || term.until.is_none());
            }
        }
    }
}
