//! Who is on which project and task, and when. Such a pair is called an edge.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Event, ProjectId, Service, TaskId, Term, message::requests};

/// The most projects that an employee can be on.
pub const PROJECTS_MOST: usize = 1_000;

/// Replaces the projects of an employee, all or none. The employee is also removed from the tasks of projects that
/// they leave. Replies with the projects that the employee is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMemberships {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The projects.
    pub projects: Vec<ProjectId>,
    /// Only checks whether the employee could be on these projects, and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_check: bool,
}

/// An employee was put on a project or removed. The event contains all terms of the edge.
///
/// Deleting a project ends the terms of all members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberChanged {
    /// The project.
    pub project_id: ProjectId,
    /// The employee.
    pub employee_id: EmployeeId,
    /// The version of the edge.
    pub version: i64,
    /// The terms in order; only the last can be open. A term never changes its index, because tasks refer to it.
    pub terms: Vec<Term>,
}

impl MemberChanged {
    /// Whether the employee is on the project now.
    pub fn is_on(&self) -> bool {
        self.terms.last().is_some_and(|term| term.until.is_none())
    }
}

impl Event for MemberChanged {
    const SERVICE: Service = Service::Projects;
    const NOUN: &'static str = "member";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Directory, Service::Timetrack];

    fn aggregate(&self) -> String {
        format!("{}_{}", self.project_id, self.employee_id)
    }
}

/// A term on a task, which also ends when the project membership ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskTerm {
    /// The term.
    pub term: Term,
    /// The index of the project membership's term that it belongs to. If that ends, this ends.
    pub member_term: u32,
}

/// An employee was put on a task or removed. The event contains all terms of the edge.
///
/// Not sent when the membership of the project ends: [`TaskTerm::member_term`] makes that clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentChanged {
    /// The task.
    pub task_id: TaskId,
    /// Its project.
    pub project_id: ProjectId,
    /// The employee.
    pub employee_id: EmployeeId,
    /// The version of the edge.
    pub version: i64,
    /// The terms on this project, in order.
    pub terms: Vec<TaskTerm>,
    /// The terms on earlier projects of the task, before it was moved to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerTerms>,
}

/// An employee's terms on a task while the task belonged to another project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerTerms {
    /// The other project; [`TaskTerm::member_term`] is a term of the membership there.
    pub project_id: ProjectId,
    /// The terms in order; none is open.
    pub terms: Vec<TaskTerm>,
}

impl AssignmentChanged {
    /// The employee's terms on the task while it belonged to this project.
    pub fn terms_on(&self, project: ProjectId) -> &[TaskTerm] {
        if self.project_id == project {
            return &self.terms;
        }
        self.former.iter().find(|former| former.project_id == project).map_or(&[], |former| &former.terms)
    }
}

impl Event for AssignmentChanged {
    const SERVICE: Service = Service::Projects;
    const NOUN: &'static str = "assignment";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Timetrack];

    fn aggregate(&self) -> String {
        format!("{}_{}", self.task_id, self.employee_id)
    }
}

requests! {
    Projects: SetMemberships => Vec<ProjectId>, "members.set", idempotent;
}
