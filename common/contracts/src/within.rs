//! Requests that are limited to some employees: to those of one team, or of a manager's teams.

use serde::{Deserialize, Serialize};

use crate::{Code, EmployeeId, Failure, Request, Service};

/// The employees whose data a request may concern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// The employees. An empty list means nobody here, unlike in the filters of requests.
    pub employees: Vec<EmployeeId>,
    /// The manager who sends the request, if a manager does. Decisions about the manager's own
    /// hours are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<EmployeeId>,
}

impl Within {
    /// Whether the request may concern this employee.
    pub fn holds(&self, employee: EmployeeId) -> bool {
        self.employees.contains(&employee)
    }

    /// Refuses a request for the data of an employee who is not in the list.
    ///
    /// # Errors
    /// 403, with [`Code::OtherTeam`].
    pub fn require(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.holds(employee) { Ok(()) } else { Err(Self::other_team()) }
    }

    /// Refuses a decision about the hours of an employee who is not in the list, and about the
    /// manager's own hours.
    ///
    /// # Errors
    /// 403, with [`Code::OtherTeam`] or [`Code::OwnTime`].
    pub fn require_decidable(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.manager == Some(employee) { Err(Self::own_time()) } else { self.require(employee) }
    }

    /// Refuses a decision about a pay period of an employee who is not in the list, and about the
    /// manager's own pay period.
    ///
    /// # Errors
    /// 403, with [`Code::OtherTeam`] or [`Code::OwnPeriod`].
    pub fn require_decidable_period(&self, employee: EmployeeId) -> Result<(), Failure> {
        if self.manager == Some(employee) { Err(Self::own_period()) } else { self.require(employee) }
    }

    /// The failure of a manager's request about an employee who is in none of their teams.
    pub fn other_team() -> Failure {
        Failure::new(Code::OtherTeam, "This is about somebody who is in no team that you manage.")
    }

    /// The failure of a manager's decision about their own pay period.
    pub fn own_period() -> Failure {
        let detail = "Nobody decides about their own pay period: another manager or an admin does.";
        Failure::new(Code::OwnPeriod, detail)
    }

    /// The failure of a manager's decision about their own hours.
    pub fn own_time() -> Failure {
        Failure::new(Code::OwnTime, "Nobody decides about their own hours: another manager or an admin does.")
    }
}

/// A request and its limits. Without limits, its JSON is that of the request alone. With limits,
/// its JSON is `{asked, within}`. A service of an earlier version does not know limits. It finds no
/// field of the request in this JSON and refuses it, instead of ignoring the limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sent<R>", into = "Sent<R>", bound(serialize = "R: Serialize + Clone"))]
pub struct Bounded<R> {
    /// The request.
    pub asked: R,
    /// The employees that the request is limited to; none if the request has no limits.
    pub within: Option<Within>,
}

/// The JSON form of [`Bounded`].
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Sent<R> {
    Bounded { asked: R, within: Within },
    Plain(R),
}

impl<R> From<Sent<R>> for Bounded<R> {
    fn from(sent: Sent<R>) -> Self {
        match sent {
            Sent::Bounded { asked, within } => Self { asked, within: Some(within) },
            Sent::Plain(asked) => Self::none(asked),
        }
    }
}

impl<R> From<Bounded<R>> for Sent<R> {
    fn from(Bounded { asked, within }: Bounded<R>) -> Self {
        match within {
            Some(within) => Self::Bounded { asked, within },
            None => Self::Plain(asked),
        }
    }
}

impl<R> Bounded<R> {
    /// The request without limits.
    pub fn none(asked: R) -> Self {
        Self { asked, within: None }
    }
}

impl<R: Request + Clone> Request for Bounded<R> {
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
    fn a_change_without_bounds_is_the_message_that_earlier_versions_send_and_with_them_none_that_they_can_read() {
        let change = VoidWindow { id: WindowId(Uuid::nil()), reason: None };
        let plain = json!({ "id": Uuid::nil() });
        let conditional = Conditional { change: change.clone(), if_match: IfMatch::default() };
        let bounded = Bounded::none(conditional);
        assert_eq!(serde_json::to_value(&bounded).unwrap(), plain);
        assert_eq!(serde_json::from_value::<Bounded<Conditional<VoidWindow>>>(plain).unwrap(), bounded);
        let conditional = Conditional { change, if_match: IfMatch(Some(vec![Tag::sent("a")])) };
        let within = Some(Within { employees: vec![EmployeeId(Uuid::nil())], manager: None });
        let bounded = Bounded { asked: conditional, within };
        let sent = serde_json::to_value(&bounded).unwrap();
        let asked = json!({ "id": Uuid::nil(), "ifMatch": ["a"] });
        assert_eq!(sent, json!({ "asked": asked, "within": { "employees": [Uuid::nil()] } }));
        assert_eq!(serde_json::from_value::<Bounded<Conditional<VoidWindow>>>(sent.clone()).unwrap(), bounded);
        assert!(serde_json::from_value::<VoidWindow>(sent).is_err());
    }
}
