//! The requests by which services compare their copies with the owners of the data.

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentChanged, EmployeeId, EmployeeState, Event, EventId, MemberChanged, Millis, Page, ProjectChanged,
    ProjectId, Service, TaskChanged, TaskId, WindowFact, WindowId, message::requests,
};

/// The result of a comparison.
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

/// Compares directory's copies now: the employees' lists of projects, and the bucket of revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileDirectory {}

/// Compares projects' copy of the employees' states now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileProjects {}

/// Compares timetrack's copy of who may track on what now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileTimetrack {}

/// Compares analytics' copy of the facts of windows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileAnalytics {}

/// Asks for the states of all employees, in the order of their ids: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEmployeeStates {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// Asks for the states of all projects that are not deleted, as events contain them: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProjectStates {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProjectId>,
}

/// Asks for the states of all tasks that are not deleted, as events contain them: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTaskStates {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
}

/// The edge between a project and an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberKey {
    /// The project.
    pub project: ProjectId,
    /// The employee.
    pub employee: EmployeeId,
}

/// Asks for all edges between projects and employees, also ended ones: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMembers {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MemberKey>,
}

/// The edge between a task and an employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssignmentKey {
    /// The task.
    pub task: TaskId,
    /// The employee.
    pub employee: EmployeeId,
}

/// Asks for all edges between tasks and employees, also ended ones: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAssignments {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AssignmentKey>,
}

/// The number and the sums of an employee's windows that begin in a UTC month, voided ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactSum {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The month, as year × 100 + month.
    pub month: i32,
    /// The number of windows.
    pub windows: i64,
    /// The sum of their revisions.
    pub revisions: i64,
    /// Their time, in milliseconds.
    pub time: i64,
}

/// Asks for the sums of all employees: for services. A page has whole employees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumFacts {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// Asks for the facts of an employee's windows that begin in a range, voided ones included, in the order of their
/// ids: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFactsOf {
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The start of the range.
    pub start: Millis,
    /// The end of the range, which is not included.
    pub end: Millis,
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowId>,
}

/// Asks for the facts of these windows, at most [`FACTS_AT_ONCE`]: for services. The reply leaves out unknown
/// ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindFacts {
    /// The ids of the windows.
    pub ids: Vec<WindowId>,
}

/// The most windows of one [`FindFacts`].
pub const FACTS_AT_ONCE: usize = 500;

/// Timetrack has repaired its copy of who may track on what. Workers drop their caches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingsRepaired {
    /// The id of the repair.
    pub id: EventId,
}

impl Event for BindingsRepaired {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "bindings";
    const VERB: &'static str = "changed";
    /// No service: a worker checks for it before it records.
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
