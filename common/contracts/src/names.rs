//! Requests for the names of employees, API keys, projects and tasks, which are shown next to their
//! ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, KeyId, Name, ProjectId, TaskId, message::requests};

/// The maximum number of ids in one request for names. It keeps the reply below 1 MiB, the limit of
/// NATS.
pub const NAMES_MOST: usize = 1_000;

/// Requests the names of employees. The reply leaves out ids that no employee has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployeeNames {
    /// The ids of the employees, at most [`NAMES_MOST`].
    pub ids: Vec<EmployeeId>,
}

/// Requests the names of API keys, revoked ones included. The reply leaves out ids that no key has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetKeyNames {
    /// The ids of the keys, at most [`NAMES_MOST`].
    pub ids: Vec<KeyId>,
}

/// Requests the names of projects and tasks, deleted ones included. A request may have at most
/// [`NAMES_MOST`] ids in total. The reply leaves out unknown ids.
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
