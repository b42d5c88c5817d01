//! Questions and changes that are about some employees only: those of a team, or of a manager's teams.

use serde::{Deserialize, Serialize};

use crate::{Code, EmployeeId, Failure, Request, Service};

/// Whom a question or a change may be about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// These. Unlike in a filter, nobody where there are none.
    pub employees: Vec<EmployeeId>,
    /// The manager who asks: nobody decides about their own hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<EmployeeId>,
}

impl Within {
    /// Whether what belongs to this employee is among what is asked about.
    pub fn holds(&self, employee: EmployeeId) -> bool {
        self.employees.contains(&employee)
    }

    /// Refuses to show what belongs to others.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.holds(employee) { Ok(()) } else { Err(Self::other_team()) }
    }

    /// Refuses to decide about what belongs to others, or to the manager who asks.
    ///
    /// # Errors
    /// 403.
    pub fn require_decidable(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.manager == Some(employee) { Err(Self::own_time()) } else { self.require(employee) }
    }

    /// What a manager is told of those in other teams.
    pub fn other_team() -> Failure {
        Failure::new(Code::OtherTeam, "This is about somebody who is in no team that you manage.")
    }

    /// What a manager is told of their own hours.
    pub fn own_time() -> Failure {
        Failure::new(Code::OwnTime, "Nobody decides about their own hours: another manager or an admin does.")
    }
}

/// A question or a change within its bounds: on the wire, its message with the field `within`, which
/// may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounded<R> {
    /// What is asked.
    #[serde(flatten)]
    pub asked: R,
    /// About whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
}

impl<R> Bounded<R> {
    /// A question about everybody.
    pub fn none(asked: R) -> Self {
        Self { asked, within: None }
    }
}

impl<R: Request> Request for Bounded<R> {
    type Reply = R::Reply;
    const SERVICE: Service = R::SERVICE;
    const NAME: &'static str = R::NAME;
    const IDEMPOTENT: bool = R::IDEMPOTENT;
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{Conditional, IfMatch, Tag, VoidWindow, WindowId};

    #[test]
    fn a_manager_decides_for_their_teams_and_never_for_themselves() {
        let [ann, bob, zoe] = [1, 2, 3].map(|n| EmployeeId(Uuid::from_u128(n)));
        let within = Within { employees: vec![ann, zoe], manager: Some(zoe) };
        let code = |outcome: Result<(), Failure>| outcome.err().map(|failure| failure.code);
        assert_eq!([ann, bob, zoe].map(|id| code(within.require(id))), [None, Some(Code::OtherTeam), None]);
        let decided = [ann, bob, zoe].map(|id| code(within.require_decidable(id)));
        assert_eq!(decided, [None, Some(Code::OtherTeam), Some(Code::OwnTime)]);
    }

    #[test]
    fn a_change_without_bounds_is_the_message_that_earlier_versions_send_and_read() {
        let change = VoidWindow { id: WindowId(Uuid::nil()) };
        let plain = json!({ "id": Uuid::nil() });
        let conditional = Conditional { change, if_match: IfMatch::default() };
        let bounded = Bounded::none(conditional);
        assert_eq!(serde_json::to_value(&bounded).unwrap(), plain);
        assert_eq!(serde_json::from_value::<Bounded<Conditional<VoidWindow>>>(plain).unwrap(), bounded);
        let conditional = Conditional { change, if_match: IfMatch(Some(vec![Tag::sent("a")])) };
        let within = Some(Within { employees: vec![EmployeeId(Uuid::nil())], manager: None });
        let sent = serde_json::to_value(Bounded { asked: conditional, within }).unwrap();
        let all = json!({ "id": Uuid::nil(), "ifMatch": ["a"], "within": { "employees": [Uuid::nil()] } });
        assert_eq!(sent, all);
        assert_eq!(serde_json::from_value::<VoidWindow>(sent).unwrap(), change);
    }
}
