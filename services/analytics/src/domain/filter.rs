use contracts::{EmployeeId, Label, ProjectId, TaskId};

/// Of whose time, on what, and in which shifts a question wants to know: all where none are named.
///
/// It is applied to what counts. What counts is found over all windows of an employee.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) employees: Vec<EmployeeId>,
    pub(crate) projects: Vec<ProjectId>,
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) shifts: Vec<Label>,
}

impl Filter {
    /// Whether time on this task of this project is wanted.
    pub(crate) fn takes(&self, project: ProjectId, task: TaskId) -> bool {
        let named = self.projects.is_empty() || self.projects.contains(&project);
        named && (self.tasks.is_empty() || self.tasks.contains(&task))
    }
}
