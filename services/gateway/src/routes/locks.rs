use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use contracts::{Actor, ListLocks, Lock, Millis, ProjectId, ReopenLock, SetLock, ShownActor};
use serde::Serialize;
use utoipa::ToSchema;

use super::actors::{HasActor, name_actors};
use crate::{App, auth::Admin, error::Problem, extract::Body};

/// The time limit for setting a lock. Timetrack waits until each of its workers knows the lock. A
/// crashed worker counts as dead 10 s after its last heartbeat; only then does timetrack stop
/// waiting for it.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(25);

/// A lock: time before a moment is settled.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Lock)]
pub(super) struct ShownLock {
    /// The project; none for the lock of the whole organisation.
    project_id: Option<ProjectId>,
    /// Time before this moment is settled. It is missing if the lock was removed.
    locked_until: Option<Millis>,
    /// Who last moved the lock.
    changed_by: Option<ShownActor>,
    /// When the lock was last moved.
    changed_at: Millis,
}

impl From<Lock> for ShownLock {
    fn from(lock: Lock) -> Self {
        let changed_by = lock.changed_by.and_then(|actor| actor.parse::<Actor>().ok());
        Self {
            project_id: lock.project_id,
            locked_until: lock.locked_until,
            changed_by: changed_by.map(ShownActor::from),
            changed_at: lock.changed_at,
        }
    }
}

impl HasActor for ShownLock {
    fn actor(&mut self) -> Option<&mut ShownActor> {
        self.changed_by.as_mut()
    }
}

async fn shown(app: &App, lock: Lock) -> ShownLock {
    let mut locks = [ShownLock::from(lock)];
    name_actors(&app.names, &mut locks).await;
    let [lock] = locks;
    lock
}

/// List all locks: the lock of the organisation, and the locks of projects.
#[utoipa::path(
    get, path = "/api/v1/lock", tag = "Periods", security(("adminKey" = [])),
    responses((status = 200, description = "The locks.", body = Vec<ShownLock>)),
)]
pub(super) async fn list_locks(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
) -> Result<Json<Vec<ShownLock>>, Problem> {
    let mut locks: Vec<ShownLock> = asker.ask(&app, ListLocks {}).await?.into_iter().map(Into::into).collect();
    name_actors(&app.names, &mut locks).await;
    Ok(Json(locks))
}

/// Lock all time before a moment, for the organisation or a project.
///
/// Time before the lock can be neither recorded nor changed. This call only moves a lock forward.
/// Late windows are not refused: they are quarantined as `period_locked` until somebody decides
/// about them.
#[utoipa::path(
    put, path = "/api/v1/lock", tag = "Periods", security(("adminKey" = [])),
    request_body(content = SetLock, example = json!({"lockedUntil": 1_760_000_000_000i64})),
    responses(
        (status = 200, description = "As it is now.", body = ShownLock),
        (status = 400, description = "`unknown_project`: there is no such project."),
        (status = 403, description = "`forbidden`: a manager asks."),
        (status = 409, description = "`lock_moves_back`: it is locked up to a later moment. `windows_waiting`: windows that may belong to it are not recorded yet."),
    ),
)]
pub(super) async fn set_lock(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(lock): Body<SetLock>,
) -> Result<Json<ShownLock>, Problem> {
    let lock = asker.ask_within(&app, LOCK_PATIENCE, lock).await?;
    Ok(Json(shown(&app, lock).await))
}

/// Move a lock back, or remove it.
///
/// Only owners and admins may do this. Windows that were quarantined because of the lock are
/// checked again automatically.
#[utoipa::path(
    post, path = "/api/v1/lock/reopen", tag = "Periods", security(("adminKey" = [])),
    request_body(content = ReopenLock, example = json!({"lockedUntil": 1_760_000_000_000i64, "reason": "A sheet was found."})),
    responses(
        (status = 200, description = "As it is now.", body = ShownLock),
        (status = 403, description = "`forbidden`: a manager asks."),
    ),
)]
pub(super) async fn reopen_lock(
    State(app): State<Arc<App>>,
    Admin(asker): Admin,
    Body(lock): Body<ReopenLock>,
) -> Result<Json<ShownLock>, Problem> {
    let lock = asker.ask(&app, lock).await?;
    Ok(Json(shown(&app, lock).await))
}
