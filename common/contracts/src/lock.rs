//! Locks, which settle all time before a moment, for everybody or for one project; and the event that informs
//! workers of settled time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Event, Millis, Note, ProjectId, Reason, Service, given, message::requests};

/// A lock: time before a moment is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// The project; none for the lock of everything.
    pub project_id: Option<ProjectId>,
    /// Time before this moment is settled; none if the lock was removed.
    pub locked_until: Option<Millis>,
    /// Who moved it last: an [`crate::Actor`], as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When it was moved last.
    pub changed_at: Millis,
}

/// Asks for all locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLocks {}

/// Moves a lock forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetLock {
    /// The project; none for the lock of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub project_id: Option<ProjectId>,
    /// Time before this moment is settled from now on.
    pub locked_until: Millis,
}

/// Moves a lock back, or removes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReopenLock {
    /// The project; none for the lock of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub project_id: Option<ProjectId>,
    /// Time before this moment stays settled; without it, the lock is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub locked_until: Option<Millis>,
    /// The reason, which the audit trail keeps.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    pub reason: Note,
}

/// A range of time that is settled: its windows no longer change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettledTime {
    /// The employee; none for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
    /// The project; none for all projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The start; none for all time before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// The end, which is not included.
    pub end: Millis,
}

/// A lock moved, a period is about to be settled or was reopened, or a window counts as an adjustment. Workers
/// quarantine windows that touch settled time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementChanged {
    /// What settles it: `all`, or the id of a project or period; for an adjustment, the ids of its window and of
    /// the start of what it counts for.
    pub id: String,
    /// The version of that.
    pub version: i64,
    /// The time that is settled; none if nothing is settled any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<SettledTime>,
}

impl Event for SettlementChanged {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "settlement";
    const VERB: &'static str = "changed";
    /// No service: whoever settles time checks how far the workers have read.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.id.clone()
    }
}

requests! {
    Timetrack: ListLocks => Vec<Lock>, "locks.list", idempotent;
    Timetrack: SetLock => Lock, "locks.set", idempotent;
    Timetrack: ReopenLock => Lock, "locks.reopen", idempotent;
}
