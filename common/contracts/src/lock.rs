//! Locks, which settle all time before a moment, for the whole organisation or for one project; and
//! the event that informs timetrack's workers of settled time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{EmployeeId, Event, Millis, Note, ProjectId, Reason, Service, given, message::requests};

/// A lock: all time of a project or of the whole organisation before a moment is settled, so
/// windows in that time no longer change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// The project whose time is locked; `null` for the lock of the whole organisation.
    pub project_id: Option<ProjectId>,
    /// Time before this moment is settled; `null` if the lock was removed.
    pub locked_until: Option<Millis>,
    /// Who set, moved or removed the lock last: an [`crate::Actor`] as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When the lock was last set, moved or removed.
    pub changed_at: Millis,
}

/// Requests all locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListLocks {}

/// Sets a lock, or moves it to a later moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetLock {
    /// The project whose time to lock; left out for the lock of the whole organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub project_id: Option<ProjectId>,
    /// Time before this moment is settled from now on.
    pub locked_until: Millis,
}

/// Moves a lock to an earlier moment, or removes the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReopenLock {
    /// The project whose lock to change; left out for the lock of the whole organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub project_id: Option<ProjectId>,
    /// Time before this moment stays settled. If it is left out, the lock is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub locked_until: Option<Millis>,
    /// The reason, which is stored in the audit trail.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Reason)]
    pub reason: Note,
}

/// A range of time that is settled: windows in it no longer change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettledTime {
    /// The employee whose time is settled; none for all employees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<EmployeeId>,
    /// The project whose time is settled; none for all projects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The start; none if all time before the end is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// The end, which is not included.
    pub end: Millis,
}

/// Published when a lock was set, moved or removed, when a pay period is about to be settled or was
/// reopened, when time was reserved for an adjustment or the reservation ended, and when an
/// adjustment was made, whose time stays settled. A worker that has read the event quarantines
/// windows that touch the time that is settled after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementChanged {
    /// What settles the time: `all`, the id of the project or of the pay period, or, for an
    /// adjustment or a reservation, a text with the id of its window and the start of the range.
    pub id: String,
    /// The version of what settles the time. A later change has a higher version.
    pub version: i64,
    /// The time that is settled; none if it is no longer settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles: Option<SettledTime>,
}

impl Event for SettlementChanged {
    const SERVICE: Service = Service::Timetrack;
    const NOUN: &'static str = "settlement";
    const VERB: &'static str = "changed";
    /// No service is awaited: the handler of a request that settles time checks how far the workers
    /// have read.
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
