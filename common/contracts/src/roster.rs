//! The people to show on a page about a range of time, and the number of undelivered invitations.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Name, TimeRange, message::requests};

/// The most people in one [`Roster`].
pub const ROSTER_MOST: usize = 1_000;

/// Asks for the people who may have worked in a range, by name: all with an account, except those who were
/// deactivated before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRoster {
    /// The range.
    pub range: TimeRange,
    /// Only these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// How many to skip.
    #[serde(default)]
    pub skip: usize,
    /// How many to return, at most [`ROSTER_MOST`].
    pub limit: usize,
}

/// Some of the people who may have worked in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The number of all of them.
    pub count: usize,
    /// The people, by name.
    pub people: Vec<RosterEntry>,
}

/// A person of a roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The id of the employee.
    pub id: EmployeeId,
    /// Their name.
    pub name: Name,
}

/// Asks for the number of invitations that are not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountUndelivered {
    /// Only of these employees; an empty list means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

requests! {
    Directory: ListRoster => Roster, "employees.roster", idempotent;
    Directory: CountUndelivered => u64, "employees.undelivered", idempotent;
}
