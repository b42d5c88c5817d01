use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Label, ProjectId, TaskId};

/// Of whose time, on what, and in which shifts somebody wants to know: all where none are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Of these employees only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub employees: Vec<EmployeeId>,
    /// On these projects only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<ProjectId>,
    /// On these tasks only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskId>,
    /// In these shifts only, if any are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Label>,
}

impl Filter {
    /// Whether time on this task of this project is wanted.
    pub fn takes(&self, project: ProjectId, task: TaskId) -> bool {
        let named = self.projects.is_empty() || self.projects.contains(&project);
        named && (self.tasks.is_empty() || self.tasks.contains(&task))
    }
}
