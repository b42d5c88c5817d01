use std::sync::Arc;

use contracts::{
    Action, AuditSubject, Bounded, Code, ContentHash, CountQuarantine, Failure, ListQuarantine, Page,
    QUARANTINE_COUNTED, QuarantineCursor, QuarantinedWindow, ReplayQuarantined, WindowContent, WindowId, WindowState,
    Within,
};
use futures::TryStreamExt;
use kit::{Call, Error};

use super::get::{recorded, state_of};
use crate::{App, consumers::record_all, domain::Held};

/// Lists quarantined windows, the oldest first, page by page; for an employee their own.
pub(crate) async fn list_quarantine(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<ListQuarantine>,
) -> Result<Page<QuarantinedWindow, QuarantineCursor>, Error> {
    match request.employee {
        Some(employee) => call.require_sight_of(employee)?,
        None => call.require_admin()?,
    }
    let held = app.store.quarantine.all(&request, within).await?;
    let cursor = |w: &QuarantinedWindow| QuarantineCursor {
        since: w.since,
        employee_id: w.employee_id,
        id: w.id,
        content: w.content,
    };
    Ok(kit::page_within(held.map_ok(Held::shown), cursor).await?)
}

/// Counts the windows that wait for a decision, at most [`QUARANTINE_COUNTED`]: for admins.
pub(crate) async fn count_quarantine(
    app: Arc<App>,
    call: Call,
    Bounded { asked: CountQuarantine {}, within }: Bounded<CountQuarantine>,
) -> Result<u64, Error> {
    call.require_admin()?;
    app.store.quarantine.count(within, QUARANTINE_COUNTED).await
}

/// Tries one window again by the present rules, and replies with its state.
pub(crate) async fn replay_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<ReplayQuarantined>,
) -> Result<WindowState, Error> {
    call.require_admin()?;
    let held = one(&app, request.id, request.content, within.as_ref()).await?;
    if held.decision.is_some() {
        return Err(Failure::not_found("window that is held back").into());
    }
    let content = WindowContent::from(&held.item);
    let (id, employee) = (held.item.id, held.item.employee_id);
    app.db.audit(Action::QuarantineReplayed, AuditSubject::new("window", id)).await?;
    // From here on it is tried again by itself, should this end before the word is out that it is recorded.
    app.store.quarantine.try_again(&[&held]).await?;
    record_all(&app, vec![held.item.into()]).await?;
    let still_held = app.store.quarantine.under(id, Some(employee)).await?;
    let state = match still_held.iter().find(|held| WindowContent::from(&held.item) == content) {
        Some(held) => state_of(&app, held).await?,
        None => {
            let stored = app.store.windows.find(id, Some(employee)).await?;
            recorded(&app, stored.ok_or_else(|| Failure::not_found("window"))?).await?
        }
    };
    Ok(state.told_to(request.set_aside))
}

/// The quarantined window with an id; undecided ones come first. Refuses a caller who may not decide about its
/// employee.
pub(super) async fn one(
    app: &App,
    id: WindowId,
    content: Option<ContentHash>,
    within: Option<&Within>,
) -> Result<Held, Error> {
    let mut held = app.store.quarantine.under(id, None).await?;
    if let Some(content) = content {
        held.retain(|held| WindowContent::from(&held.item).hash() == content);
    }
    if let Some(within) = within {
        let decidable = |held: &Held| within.require_decidable(held.item.employee_id);
        match held.iter().find_map(|held| decidable(held).err()) {
            Some(refusal) if held.iter().all(|held| decidable(held).is_err()) => return Err(refusal.into()),
            _ => held.retain(|held| decidable(held).is_ok()),
        }
    }
    if held.iter().any(|held| held.decision.is_none()) {
        held.retain(|held| held.decision.is_none());
    }
    let found = held.pop().ok_or_else(|| Failure::not_found("window that is held back"))?;
    match held.is_empty() {
        true => Ok(found),
        false => {
            let detail = "Several windows are held under this id. Name one of them by its content, as the list shows \
                          it (?content=…).";
            Err(Failure::new(Code::Conflict, detail).into())
        }
    }
}
