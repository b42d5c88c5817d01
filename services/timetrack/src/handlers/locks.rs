use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AuditSubject, Code, Failure, ListLocks, Lock, Millis, Note, ProjectId, ReopenLock, SetLock, SettledTime,
    changed,
};
use kit::{Call, Error, Tx};
use serde_json::{Value, json};

use super::periods::{actor, let_in};
use crate::{
    App,
    consumers::{until_all_have_heard, until_queue_is_done},
    domain::BindingKey,
    store::StoredLock,
};

/// Lists all locks.
pub(crate) async fn list_locks(app: Arc<App>, call: Call, _: ListLocks) -> Result<Vec<Lock>, Error> {
    call.require_admin()?;
    Ok(app.store.locks.all().await?.into_iter().map(StoredLock::shown).collect())
}

/// Sets a lock, or moves it forward: the lock of a project, or of the organisation if no project is
/// given. After the answer, nothing that the lock settles is recorded or changed.
pub(crate) async fn set_lock(app: Arc<App>, call: Call, request: SetLock) -> Result<Lock, Error> {
    call.require_admin()?;
    let SetLock { project_id, locked_until } = request;
    let now = app.clock.now();
    if locked_until > now {
        return Err(Failure::field("lockedUntil", "must not lie ahead: what is still to be worked stays open").into());
    }
    require_project(&app, project_id).await?;
    until_queue_is_done(&app).await?;
    let lock = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        app.store.settlements.touch_all(tx).await?;
        let was = app.store.locks.load(tx, project_id).await?;
        if was.until.is_some_and(|until| locked_until < until) {
            let detail = "A lock only moves forward. To move it back, open it again.";
            return Err(Failure::new(Code::LockMovesBack, detail).into());
        }
        if was.until == Some(locked_until) {
            return Ok(was);
        }
        if app.store.updates.is_any_under_way(tx).await? {
            let detail = "A bulk update of windows is under way. Try again when it is done.";
            return Err(Failure::new(Code::Unavailable, detail).into());
        }
        save(&app, tx, &call, was, Some(locked_until), now, None).await
    })?;
    until_all_have_heard(&app, &lock.settlement()).await?;
    Ok(lock.shown())
}

/// Moves a lock back, or removes it. Windows that were quarantined because of the lock are tried
/// again.
pub(crate) async fn reopen_lock(app: Arc<App>, call: Call, request: ReopenLock) -> Result<Lock, Error> {
    call.require_admin()?;
    let ReopenLock { project_id, locked_until, reason } = request;
    let now = app.clock.now();
    let (lock, was) = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        app.store.settlements.touch_all(tx).await?;
        let was = app.store.locks.load(tx, project_id).await?;
        let before = was.until;
        if before == locked_until {
            return Ok((was, before));
        }
        if locked_until.is_some_and(|until| before.is_none_or(|before| before < until)) {
            return Err(Failure::field("lockedUntil", "must lie before the moment up to which it is locked").into());
        }
        Ok((save(&app, tx, &call, was, locked_until, now, Some(&reason)).await?, before))
    })?;
    let_in(&app, was.map(|end| SettledTime { employee_id: None, project_id: None, start: locked_until, end })).await?;
    Ok(lock.shown())
}

async fn require_project(app: &App, project: Option<ProjectId>) -> Result<(), Error> {
    let Some(project) = project else { return Ok(()) };
    match app.store.bindings.rows([BindingKey::Project(project)]).await?.is_empty() {
        true => Err(Failure::new(Code::UnknownProject, "There is no such project.").into()),
        false => Ok(()),
    }
}

/// Stores a lock, with the event for workers and the audit entry.
async fn save(
    app: &App,
    tx: &mut Tx<'_>,
    call: &Call,
    was: StoredLock,
    until: Option<Millis>,
    now: Millis,
    reason: Option<&Note>,
) -> Result<StoredLock, Error> {
    let version = was.version + 1;
    let lock = StoredLock { until, version, changed_by: actor(call), changed_at: now, ..was.clone() };
    app.store.locks.save(tx, &lock).await?;
    tx.emit(&lock.settlement()).await?;
    let told =
        |until: Option<Millis>, reason: Option<&Note>| -> Value { json!({ "lockedUntil": until, "reason": reason }) };
    let action = if reason.is_some() { Action::LockReopened } else { Action::LockSet };
    let changes = changed(&told(was.until, None), &told(until, reason));
    tx.audit(action, AuditSubject::new("lock", &lock.id), changes).await?;
    Ok(lock)
}
