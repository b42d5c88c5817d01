//! Requests for the employees who may have worked in a range of time, and for the number of
//! undelivered invitations.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Name, TimeRange, message::requests};

/// The maximum number of employees in one [`Roster`].
pub const ROSTER_MOST: usize = 1_000;

/// Requests the employees who may have worked in a range, ordered by name: all whose account was
/// activated, except those who were deactivated before the range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRoster {
    /// The range of time.
    pub range: TimeRange,
    /// Only these employees are included; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// The number of employees to skip at the beginning of the list.
    #[serde(default)]
    pub skip: usize,
    /// The maximum number of employees in the reply, at most [`ROSTER_MOST`].
    pub limit: usize,
}

/// One page of the employees who may have worked in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The number of all employees who match the request, on all pages.
    pub count: usize,
    /// The employees of this page, ordered by name.
    pub people: Vec<RosterEntry>,
}

/// An employee in a roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The name of the employee.
    pub name: Name,
}

/// Requests the number of employees whose last invitation's mail has failed or is tried again
/// ([`crate::DeliveryState::Failed`] or [`crate::DeliveryState::Retrying`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountUndelivered {
    /// Only these employees are counted; an empty list means all employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

requests! {
    Directory: ListRoster => Roster, "employees.roster", idempotent;
    Directory: CountUndelivered => u64, "employees.undelivered", idempotent;
}
