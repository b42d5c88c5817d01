use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Label, ProjectId, TaskId};

/// Selects the time of some employees, projects, tasks and shifts. An empty list selects all of
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only time of these employees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// Only time on these projects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// Only time on these tasks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// Only time in these shifts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Label>,
}

impl Filter {
    /// Whether the filter includes time on this task of this project. The employees and shifts of
    /// the filter are not compared.
    pub fn takes(&self, project: ProjectId, task: TaskId) -> bool {
        let named = self.projects.is_empty() || self.projects.contains(&project);
        named && (self.tasks.is_empty() || self.tasks.contains(&task))
    }
}
