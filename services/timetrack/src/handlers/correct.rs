use std::{sync::Arc, time::Duration};

use contracts::{
    Action, Actor, AuditSubject, Bounded, Code, Conditional, CorrectWindow, EventId, Failure, Note, VoidWindow, Window,
    WindowCorrection, WindowId, WindowsRecorded, Within, changed, deleted,
};
use kit::{Call, Error, Tx};
use serde_json::{Value, json};

use super::list::with_negative_time;
use crate::{
    App,
    consumers::require_none_beside,
    domain::{Worked, correct as corrected, require_task_of_project},
    store::StoredWindow,
};

/// How long a handler waits until the event of a correction is published.
pub(super) const PUBLISHED: Duration = Duration::from_secs(5);

/// Corrects one window. For admins, and managers of the window's employee.
pub(crate) async fn correct(
    app: Arc<App>,
    call: Call,
    Bounded { asked: Conditional { change: request, if_match }, within }: Bounded<Conditional<CorrectWindow>>,
) -> Result<Window, Error> {
    call.require_admin()?;
    if request.changes == WindowCorrection::default() {
        return Err(Failure::new(Code::NothingToChange, "Name at least one field to change.").into());
    }
    let now = app.clock.now();
    let stored = change(&app, &call, request.id, request.reason.as_ref(), |was| {
        require_decidable(within.as_ref(), was)?;
        if was.voided {
            return Err(Failure::new(Code::Voided, "The window is voided; it cannot be corrected."));
        }
        if_match.require(|| was.window.tag())?;
        let window = corrected(&was.window, &request.changes, now)?;
        Ok(Some(was.saying(window)))
    });
    let stored = stored.await?;
    let window = with_negative_time(&app, vec![stored.window]).await?.pop();
    window.ok_or_else(|| Failure::not_found("window").into())
}

/// Voids one window: it no longer counts. A second request for the same window changes nothing.
pub(crate) async fn void(
    app: Arc<App>,
    call: Call,
    Bounded { asked: Conditional { change: request, if_match }, within }: Bounded<Conditional<VoidWindow>>,
) -> Result<(), Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let voided = change(&app, &call, request.id, request.reason.as_ref(), |was| {
        require_decidable(within.as_ref(), was)?;
        // The request is repeated, for example because the first answer was lost. It must get the
        // same answer.
        if was.voided {
            return Ok(None);
        }
        if_match.require(|| was.window.tag())?;
        Ok(Some(was.void(now)))
    });
    voided.await.map(drop)
}

/// Refuses a manager who may not decide about the employee of the window.
fn require_decidable(within: Option<&Within>, was: &StoredWindow) -> Result<(), Failure> {
    within.map_or(Ok(()), |within| within.require_decidable(was.window.employee_id))
}

/// Changes one window by a rule, and waits until the event is published. If the rule returns none,
/// nothing is changed.
async fn change(
    app: &App,
    call: &Call,
    id: WindowId,
    reason: Option<&Note>,
    rule: impl Fn(&StoredWindow) -> Result<Option<StoredWindow>, Failure>,
) -> Result<StoredWindow, Error> {
    let stored = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        change_in(app, tx, call.actor, id, reason, &rule).await
    })?;
    app.db.until_published(PUBLISHED).await?;
    Ok(stored)
}

/// Refuses a change of settled time. Refuses also a change of the window's time or project that
/// would change how much a locked window of another project counts.
///
/// # Errors
/// 409, which names what has settled the time.
pub(super) async fn require_open(
    app: &App,
    tx: &mut Tx<'_>,
    was: &StoredWindow,
    now: &StoredWindow,
) -> Result<(), Error> {
    let worked: Vec<Worked> = [was, now].into_iter().filter_map(|one| Worked::of_window(&one.window)).collect();
    let settled = app.store.settlements.hold(tx, &worked).await?;
    if let Err(by) = settled.require_kept(&was.fact(), &now.fact()) {
        return Err(app.store.settlements.refusal(by).await?.into());
    }
    let place = |one: &StoredWindow| (one.window.start, one.window.end, one.window.project_id, one.voided);
    if place(was) == place(now) {
        return Ok(());
    }
    for one in worked {
        require_none_beside(app, tx, &settled, one).await?;
    }
    Ok(())
}

/// Changes one window by a rule, in a transaction that may also change other documents. Checks that
/// settled time stays the same, and that a new task belongs to its project.
pub(super) async fn change_in(
    app: &App,
    tx: &mut Tx<'_>,
    by: Option<Actor>,
    id: WindowId,
    reason: Option<&Note>,
    rule: impl Fn(&StoredWindow) -> Result<Option<StoredWindow>, Failure>,
) -> Result<StoredWindow, Error> {
    let was = app.store.windows.get(tx, id).await?.ok_or_else(|| Failure::not_found("window"))?;
    let Some(now) = rule(&was)? else { return Ok(was) };
    require_open(app, tx, &was, &now).await?;
    check_parties(app, &was, &now).await?;
    let (action, changes) = match now.voided {
        true => (Action::WindowVoided, deleted(&was.window)),
        false => (Action::WindowCorrected, changed(&was.window, &now.window)),
    };
    let changes = with_reason(changes, reason);
    app.store.windows.replace(tx, was, &now, by).await?;
    let batch = kit::new_id::<EventId>().to_string();
    tx.emit(&WindowsRecorded { batch, windows: vec![now.fact()] }).await?;
    tx.audit(action, AuditSubject::new("window", id), changes).await?;
    Ok(now)
}

/// Adds the reason to the changes of an audit entry. The operation that adds it is inserted before
/// the last one, because the last one may remove the whole document. The reason is stored as plain
/// text, because people read it.
fn with_reason(changes: Value, reason: Option<&Note>) -> Value {
    match (changes, reason) {
        (Value::Array(mut changes), Some(reason)) => {
            changes.insert(changes.len().saturating_sub(1), json!({ "op": "add", "path": "/reason", "value": reason }));
            changes.into()
        }
        (changes, _) => changes,
    }
}

/// Requires that a window that moves to another project or task has a task of its project. Whether
/// the employee was on the task is not checked: that is the admin's decision.
async fn check_parties(app: &App, was: &StoredWindow, now: &StoredWindow) -> Result<(), Error> {
    let (from, to) = (&was.window, &now.window);
    if (from.project_id, from.task_id) == (to.project_id, to.task_id) {
        return Ok(());
    }
    let bindings = app.store.bindings.of_task(to.project_id, to.task_id).await?;
    Ok(require_task_of_project(to, &bindings)?)
}
