//! What services ask each other to compare the copies that they keep with those who own what is copied.

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentChanged, EmployeeId, Event, EventId, MemberChanged, Millis, Page, ProjectChanged, ProjectId, Service,
    Standing, TaskChanged, TaskId, WindowFact, WindowId, message::requests,
};

/// What a comparison found, and put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciled {
    /// How many entries were compared.
    pub compared: u64,
    /// How many were not as they should be.
    pub found: u64,
    /// How many of these were put right.
    pub repaired: u64,
}

/// Has directory compare its copies now: the employees' lists of projects, and the bucket of revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileDirectory {}

/// Has projects compare its copy, how employees stand, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileProjects {}

/// Has timetrack compare its copy, who may track on what, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileTimetrack {}

/// Has analytics compare its copy, the facts of windows, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileAnalytics {}

/// Asks how all employees stand, in the order of their ids: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListStandings {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// Asks for all projects that are not deleted, as events tell them: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProjectStates {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProjectId>,
}

/// Asks for all tasks that are not deleted, as events tell them: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTaskStates {
    /// After this one.
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

/// Asks for all edges between projects and employees, those that ended too: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMembers {
    /// After this one.
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

/// Asks for all edges between tasks and employees, those that ended too: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAssignments {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AssignmentKey>,
}

/// How many windows of an employee begin in a UTC month, and what they come to: voided ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactSum {
    /// Whose.
    pub employee_id: EmployeeId,
    /// The month, as year times 100 and month.
    pub month: i32,
    /// How many.
    pub windows: i64,
    /// The sum of their revisions.
    pub revisions: i64,
    /// How long they are together, in milliseconds.
    pub time: i64,
}

/// Asks for the sums of all employees, whole employees a page: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumFacts {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// Asks for what the windows of an employee count for that begin in a time, voided ones too, in the
/// order of their ids: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFactsOf {
    /// Whose.
    pub employee_id: EmployeeId,
    /// From here.
    pub start: Millis,
    /// Until before here.
    pub end: Millis,
    /// After this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<WindowId>,
}

/// Asks for what these windows count for, at most [`FACTS_AT_ONCE`]; unknown ones are left out: for services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindFacts {
    /// Which.
    pub ids: Vec<WindowId>,
}

/// The most windows of one [`FindFacts`].
pub const FACTS_AT_ONCE: usize = 500;

/// Timetrack has put right what it keeps of who may track on what. Workers forget what they remember.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingsRepaired {
    /// Which repair.
    pub id: EventId,
}

impl Event for BindingsRepaired {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "bindings";
    const VERB: &'static str = "changed";
    /// Nobody: a worker looks for it before it records.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.id.to_string()
    }
}

requests! {
    Directory: ListStandings => Page<Standing, EmployeeId>, "standings.list", idempotent;
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
