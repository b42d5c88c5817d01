//! The names of employees, projects and tasks, which reports show next to the ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, KeyId, Name, ProjectId, TaskId, message::requests};

/// The most ids in one request for names, so that the names fit into a reply.
pub const NAMES_MOST: usize = 1_000;

/// Asks for the names of employees. The reply leaves out unknown ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployeeNames {
    /// The ids of the employees, at most [`NAMES_MOST`].
    pub ids: Vec<EmployeeId>,
}

/// Asks for the names of API keys, also of revoked ones. The reply leaves out unknown ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetKeyNames {
    /// The ids of the keys, at most [`NAMES_MOST`].
    pub ids: Vec<KeyId>,
}

/// Asks for the names of projects and tasks, also of deleted ones: at most [`NAMES_MOST`] together. The reply
/// leaves out unknown ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetWorkNames {
    /// The ids of the projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// The ids of the tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
}

/// The names of projects and tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkNames {
    /// The names of projects.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub projects: BTreeMap<ProjectId, Name>,
    /// The names of tasks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<TaskId, Name>,
}

requests! {
    Directory: GetEmployeeNames => BTreeMap<EmployeeId, Name>, "employees.names", idempotent;
    Directory: GetKeyNames => BTreeMap<KeyId, Name>, "keys.names", idempotent;
    Projects: GetWorkNames => WorkNames, "projects.names", idempotent;
}
