//! Locks: up to when nothing changes any more, of everybody or of a project; and the event by which
//! workers hear what is settled.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Event, Millis, Note, ProjectId, Reason, Service, given, message::requests};

/// Up to when all time is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Of this project; of everything where there is none.
    pub project_id: Option<ProjectId>,
    /// What lies before this moment is settled; nothing where the lock was taken off.
    pub locked_until: Option<Millis>,
    /// Who has moved it last: an [`crate::Actor`], as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When.
    pub changed_at: Millis,
}

/// Asks for all locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLocks {}

/// Moves a lock forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetLock {
    /// Of this project; of everything where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub project_id: Option<ProjectId>,
    /// What lies before this moment is settled from then on.
    pub locked_until: Millis,
}

/// Moves a lock back, or takes it off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReopenLock {
    /// Of this project; of everything where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub project_id: Option<ProjectId>,
    /// What lies before this moment stays settled; nothing does where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub locked_until: Option<Millis>,
    /// Why: the audit trail keeps it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    pub reason: Note,
}

/// Time in which nothing changes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettledTime {
    /// Of this employee; of everybody where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
    /// On this project; on all where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// From this moment on; from ever where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// Before this moment.
    pub end: Millis,
}

/// A lock has moved, a period is about to be settled, or no longer, or something counts as an adjustment. Workers go by it: a window that
/// touches settled time is set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementChanged {
    /// What settles it: `all`, the id of a project, the id of a period; of an adjustment, its window's and where
    /// what it counts begins.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// What it settles; nothing where it settles nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<SettledTime>,
}

impl Event for SettlementChanged {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "settlement";
    const VERB: &'static str = "changed";
    /// Nobody: whoever settles something looks how far the workers have heard.
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
