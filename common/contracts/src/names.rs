//! The names of what ids stand for: reports show them beside the ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, KeyId, Name, ProjectId, TaskId, message::requests};

/// The most ids of one question for names: their names fit into a reply.
pub const NAMES_MOST: usize = 1_000;

/// Asks for the names of employees; unknown ones are left out of the reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployeeNames {
    /// Of whom: at most [`NAMES_MOST`].
    pub ids: Vec<EmployeeId>,
}

/// Asks for the names of API keys, revoked ones too; unknown ones are left out of the reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetKeyNames {
    /// Of which: at most [`NAMES_MOST`].
    pub ids: Vec<KeyId>,
}

/// Asks for the names of projects and tasks, deleted ones too; unknown ones are left out of the
/// reply. At most [`NAMES_MOST`] in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetWorkNames {
    /// Of these projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// Of these tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
}

/// The names of projects and tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkNames {
    /// Those of projects.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<ProjectId, Name>,
    /// Those of tasks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskId, Name>,
}

requests! {
    Directory: GetEmployeeNames => BTreeMap<EmployeeId, Name>, "employees.names", idempotent;
    Directory: GetKeyNames => BTreeMap<KeyId, Name>, "keys.names", idempotent;
    Projects: GetWorkNames => WorkNames, "projects.names", idempotent;
}
