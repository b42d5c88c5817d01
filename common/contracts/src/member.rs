//! Who is on what, and when: the edges between employees, projects and tasks.

use serde::{Deserialize, Serialize};

use crate::{EmployeeId, Event, ProjectId, Service, TaskId, Term, message::requests};

/// The most projects that an employee is put on at once.
pub const PROJECTS_MOST: usize = 1_000;

/// Puts an employee on these projects and takes them off all others, and off the tasks of those:
/// all of it or nothing. Gives the projects that the employee is then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMemberships {
    /// Whom.
    pub employee_id: EmployeeId,
    /// On what.
    pub projects: Vec<ProjectId>,
    /// Only says whether somebody new could be put on these, and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_check: bool,
}

/// An employee was put on a project or taken off it: all terms of the edge.
///
/// A deleted project ends the terms of all its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberChanged {
    /// The project.
    pub project_id: ProjectId,
    /// The employee.
    pub employee_id: EmployeeId,
    /// The version of the edge.
    pub version: i64,
    /// The terms in order; only the last can be open. A term keeps its place for good: tasks
    /// refer to it.
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

/// One stretch of being on a task, which ends with the membership it was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskTerm {
    /// When.
    pub term: Term,
    /// Which of the project membership's terms it hangs on: over when that is.
    pub member_term: u32,
}

/// An employee was put on a task or taken off it: all terms of the edge.
///
/// Not sent when the edge ends with its membership: [`TaskTerm::member_term`] says so already.
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
    /// The terms on the projects that the task belonged to before it was moved here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerTerms>,
}

/// An employee's terms on a task while it belonged to another project.
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
