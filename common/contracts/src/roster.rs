//! Who belongs on a page about a range of time, and whose invitation has not arrived.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Name, TimeRange, message::requests};

/// The most people of one [`Roster`].
pub const ROSTER_MOST: usize = 1_000;

/// Asks for the people who may have worked in a range, by name: all who have an account, without
/// those who were deactivated before it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRoster {
    /// The range.
    pub range: TimeRange,
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// So many come before those that are wanted.
    #[serde(default)]
    pub skip: usize,
    /// So many are wanted, at most [`ROSTER_MOST`].
    pub limit: usize,
}

/// A part of the people who may have worked in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// How many there are in all.
    pub count: usize,
    /// Those of the part, by name.
    pub people: Vec<RosterEntry>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// Who.
    pub id: EmployeeId,
    /// Their name.
    pub name: Name,
}

/// Asks how many invitations could not be delivered, or not yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountUndelivered {
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
}

requests! {
    Directory: ListRoster => Roster, "employees.roster", idempotent;
    Directory: CountUndelivered => u64, "employees.undelivered", idempotent;
}
