use std::collections::HashMap;

use contracts::{
    AssignmentChanged, EmployeeChanged, EmployeeId, IngestItem, MemberChanged, ProjectChanged, ProjectId, TaskChanged,
    TaskId,
};
use serde::{Deserialize, Serialize};

/// What we know of one party to a window, as its service last said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Binding {
    Employee(EmployeeChanged),
    Project(ProjectChanged),
    Task(TaskChanged),
    Member(MemberChanged),
    Assignment(AssignmentChanged),
}

/// Which party: the key under which a [`Binding`] is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BindingKey {
    Employee(EmployeeId),
    Project(ProjectId),
    Task(TaskId),
    Member(ProjectId, EmployeeId),
    Assignment(TaskId, EmployeeId),
}

impl std::fmt::Display for BindingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Employee(id) => write!(f, "e:{id}"),
            Self::Project(id) => write!(f, "p:{id}"),
            Self::Task(id) => write!(f, "t:{id}"),
            Self::Member(project, employee) => write!(f, "m:{project}:{employee}"),
            Self::Assignment(task, employee) => write!(f, "a:{task}:{employee}"),
        }
    }
}

impl Binding {
    pub(crate) fn key(&self) -> BindingKey {
        match self {
            Self::Employee(e) => BindingKey::Employee(e.0.id),
            Self::Project(p) => BindingKey::Project(p.id),
            Self::Task(t) => BindingKey::Task(t.id),
            Self::Member(m) => BindingKey::Member(m.project_id, m.employee_id),
            Self::Assignment(a) => BindingKey::Assignment(a.task_id, a.employee_id),
        }
    }

    pub(crate) fn version(&self) -> i64 {
        match self {
            Self::Employee(e) => e.0.version,
            Self::Project(p) => p.version,
            Self::Task(t) => t.version,
            Self::Member(m) => m.version,
            Self::Assignment(a) => a.version,
        }
    }
}

/// The parties to some windows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings(HashMap<BindingKey, Binding>);

impl FromIterator<Binding> for Bindings {
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Self {
        Self(bindings.into_iter().map(|binding| (binding.key(), binding)).collect())
    }
}

impl Bindings {
    /// The keys of all parties to a window.
    pub(crate) fn keys(item: &IngestItem) -> [BindingKey; 5] {
        let (employee, project, task) = (item.employee_id, item.window.project_id, item.window.task_id);
        [
            BindingKey::Employee(employee),
            BindingKey::Project(project),
            BindingKey::Task(task),
            BindingKey::Member(project, employee),
            BindingKey::Assignment(task, employee),
        ]
    }

    pub(crate) fn employee(&self, id: EmployeeId) -> Option<&EmployeeChanged> {
        match self.0.get(&BindingKey::Employee(id)) {
            Some(Binding::Employee(employee)) => Some(employee),
            _ => None,
        }
    }

    pub(crate) fn project(&self, id: ProjectId) -> Option<&ProjectChanged> {
        match self.0.get(&BindingKey::Project(id)) {
            Some(Binding::Project(project)) => Some(project),
            _ => None,
        }
    }

    pub(crate) fn task(&self, id: TaskId) -> Option<&TaskChanged> {
        match self.0.get(&BindingKey::Task(id)) {
            Some(Binding::Task(task)) => Some(task),
            _ => None,
        }
    }

    pub(crate) fn member(&self, project: ProjectId, employee: EmployeeId) -> Option<&MemberChanged> {
        match self.0.get(&BindingKey::Member(project, employee)) {
            Some(Binding::Member(member)) => Some(member),
            _ => None,
        }
    }

    pub(crate) fn assignment(&self, task: TaskId, employee: EmployeeId) -> Option<&AssignmentChanged> {
        match self.0.get(&BindingKey::Assignment(task, employee)) {
            Some(Binding::Assignment(assignment)) => Some(assignment),
            _ => None,
        }
    }
}
