//! The requests with which services compare their copies of data with the services that own the
//! data.

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentChanged, EmployeeId, EmployeeState, Event, EventId, MemberChanged, Millis, Page, ProjectChanged,
    ProjectId, Service, TaskChanged, TaskId, WindowFact, WindowId, message::requests,
};

/// The result of comparing a service's copies with their owners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciled {
    /// The number of entries that were compared.
    pub compared: u64,
    /// The number of entries that differed.
    pub found: u64,
    /// The number of differences that were repaired.
    pub repaired: u64,
}

/// Requests that directory compares its copies now, and repairs the differences. The copies are the
/// employees' lists of projects, and the entries of the bucket [`crate::stream::REVOCATIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileDirectory {}

/// Requests that the service `projects` compares its copy of the employees' states now, and repairs
/// the differences. It also ends memberships that have outlasted a deactivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileProjects {}

/// Requests that timetrack compares now its copy of who may track time on which project and task,
/// and repairs the differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileTimetrack {}

/// Requests that analytics compares its copy of the facts of windows now, and repairs the
/// differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileAnalytics {}

/// Requests the states of all employees, ordered by id, page by page. For services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEmployeeStates {
    /// The id of the last employee of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// Requests the states of all projects that are not deleted, page by page, in the form of their
/// events. For services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProjectStates {
    /// The id of the last project of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProjectId>,
}

/// Requests the states of all tasks that are not deleted, page by page, in the form of their
/// events. For services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTaskStates {
    /// The id of the last task of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
}

/// The key of the edge between a project and an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberKey {
    /// The id of the project.
    pub project: ProjectId,
    /// The id of the employee.
    pub employee: EmployeeId,
}

/// Requests the terms of all employees on projects, ended ones included, page by page. For services
/// only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMembers {
    /// The key of the last edge of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MemberKey>,
}

/// The key of the edge between a task and an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssignmentKey {
    /// The id of the task.
    pub task: TaskId,
    /// The id of the employee.
    pub employee: EmployeeId,
}

/// Requests the terms of all employees on tasks, ended ones included, page by page. For services
/// only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAssignments {
    /// The key of the last edge of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AssignmentKey>,
}

/// The number and the sums of an employee's windows that begin in one UTC month, voided windows
/// included. If two services have the same sums, their facts of the month are taken to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactSum {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The UTC month, as year × 100 + month.
    pub month: i32,
    /// The number of windows.
    pub windows: i64,
    /// The sum of the windows' revisions.
    pub revisions: i64,
    /// The sum of the windows' lengths, in milliseconds.
    pub time: i64,
}

/// Requests the [`FactSum`]s of all employees and months, page by page. All months of an employee
/// are on the same page. For services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumFacts {
    /// The id of the last employee of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// Requests the facts of an employee's windows that begin in a range, voided windows included,
/// ordered by window id, page by page. For services only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFactsOf {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The start of the range, which is included.
    pub start: Millis,
    /// The end of the range, which is not included.
    pub end: Millis,
    /// The id of the last window of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowId>,
}

/// Requests the facts of these windows, at most [`FACTS_AT_ONCE`]. The reply leaves out ids that no
/// window has. For services only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindFacts {
    /// The ids of the windows.
    pub ids: Vec<WindowId>,
}

/// The maximum number of windows in one [`FindFacts`].
pub const FACTS_AT_ONCE: usize = 500;

/// Published when timetrack has repaired its copy of who may track time on which project and task.
/// Workers then drop their caches of this copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingsRepaired {
    /// The id of the repair.
    pub id: EventId,
}

impl Event for BindingsRepaired {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "bindings";
    const VERB: &'static str = "changed";
    /// No service is awaited: a worker checks, before it records windows, that it has applied these
    /// events.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.id.to_string()
    }
}

requests! {
    Directory: ListEmployeeStates => Page<EmployeeState, EmployeeId>, "standings.list", idempotent;
    Directory: ReconcileDirectory => Reconciled, "copies.reconcile";
    Projects: ListProjectStates => Page<ProjectChanged, ProjectId>, "projects.states", idempotent;
    Projects: ListTaskStates => Page<TaskChanged, TaskId>, "tasks.states", idempotent;
    Projects: ListMembers => Page<MemberChanged, MemberKey>, "members.list", idempotent;
    Projects: ListAssignments => Page<AssignmentChanged, AssignmentKey>, "assignments.list", idempotent;
    Projects: ReconcileProjects => Reconciled, "copies.reconcile";
    Timetrack: SumFacts => Page<FactSum, EmployeeId>, "facts.sums", idempotent;
    Timetrack: ListFactsOf => Page<WindowFact, WindowId>, "facts.of", idempotent;
    Timetrack: FindFacts => Vec<WindowFact>, "facts.find", idempotent;
    Timetrack: ReconcileTimetrack => Reconciled, "copies.reconcile";
    Analytics: ReconcileAnalytics => Reconciled, "copies.reconcile";
}
