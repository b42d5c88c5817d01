//! Memberships and assignments: which employee was on which project and task, and when. An employee
//! together with a project or a task is called an edge.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Event, ProjectId, Service, TaskId, Term, message::requests};

/// The maximum number of projects that an employee can be on.
pub const PROJECTS_MOST: usize = 1_000;

/// Replaces the list of an employee's projects. Either the whole list is applied or nothing. The
/// employee is also removed from the tasks of the projects that they leave. The reply is the new
/// list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMemberships {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The projects that the employee should be on.
    pub projects: Vec<ProjectId>,
    /// Whether the service only checks if the employee could be on these projects, and changes
    /// nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_check: bool,
}

/// Published when an employee was added to a project or removed from it. The event contains all
/// terms of the edge.
///
/// If a project is deleted, such an event ends the term of each member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberChanged {
    /// The id of the project.
    pub project_id: ProjectId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The version of the edge. A later change has a higher version.
    pub version: i64,
    /// The terms in which the employee was on the project, in order. Only the last one can be open.
    /// A term never changes its index, because [`TaskTerm::member_term`] refers to it.
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

/// A term in which an employee was on a task. It also ends when the term of the project membership
/// ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskTerm {
    /// The term on the task.
    pub term: Term,
    /// The index of the term of the project membership that this term belongs to. If that one ends,
    /// this one ends too.
    pub member_term: u32,
}

/// Published when an employee was added to a task or removed from it. The event contains all terms
/// of the edge.
///
/// This event is not sent when the employee's membership of the project ends:
/// [`TaskTerm::member_term`] shows that the term on the task has ended too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentChanged {
    /// The id of the task.
    pub task_id: TaskId,
    /// The project that the task belongs to.
    pub project_id: ProjectId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The version of the edge. A later change has a higher version.
    pub version: i64,
    /// The terms on the task since it belongs to this project, in order.
    pub terms: Vec<TaskTerm>,
    /// The terms on the task while it belonged to other projects, before it was moved to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerTerms>,
}

/// An employee's terms on a task while the task belonged to another project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerTerms {
    /// The other project. [`TaskTerm::member_term`] is the index of a term of the membership of
    /// that project.
    pub project_id: ProjectId,
    /// The terms in order. None of them is open.
    pub terms: Vec<TaskTerm>,
}

impl AssignmentChanged {
    /// The employee's terms on the task while the task belonged to this project.
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
