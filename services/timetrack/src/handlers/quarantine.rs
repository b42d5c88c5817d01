use std::sync::Arc;

use contracts::{
    Action, AuditSubject, Bounded, Code, ContentHash, CountQuarantine, Failure, ListQuarantine, Page,
    QUARANTINE_COUNTED, QuarantineCursor, QuarantinedWindow, ReplayQuarantined, WindowContent, WindowId, WindowState,
    Within,
};
use futures::TryStreamExt;
use kit::{Call, Error};

use super::get::{recorded, state_of};
use crate::{App, consumers::record_all, domain::Quarantined};

/// Lists quarantined windows, the oldest first, page by page. Employees see only their own.
pub(crate) async fn list_quarantine(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<ListQuarantine>,
) -> Result<Page<QuarantinedWindow, QuarantineCursor>, Error> {
    match request.employee {
        Some(employee) => call.require_sight_of(employee)?,
        None => call.require_admin()?,
    }
    let quarantined = app.store.quarantine.all(&request, within).await?;
    let cursor = |w: &QuarantinedWindow| QuarantineCursor {
        since: w.since,
        employee_id: w.employee_id,
        id: w.id,
        content: w.content,
    };
    Ok(kit::page_within(quarantined.map_ok(Quarantined::shown), cursor).await?)
}

/// Counts the quarantined windows without a decision, up to [`QUARANTINE_COUNTED`]. For admins, and
/// managers about their employees.
pub(crate) async fn count_quarantine(
    app: Arc<App>,
    call: Call,
    Bounded { asked: CountQuarantine {}, within }: Bounded<CountQuarantine>,
) -> Result<u64, Error> {
    call.require_admin()?;
    app.store.quarantine.count(within, QUARANTINE_COUNTED).await
}

/// Tries to record one quarantined window by the present rules, and returns its state.
pub(crate) async fn replay_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<ReplayQuarantined>,
) -> Result<WindowState, Error> {
    call.require_admin()?;
    let quarantined = one(&app, request.id, request.content, within.as_ref()).await?;
    if quarantined.decision.is_some() {
        return Err(Failure::not_found("window that is held back").into());
    }
    let content = WindowContent::from(&quarantined.item);
    let (id, employee) = (quarantined.item.id, quarantined.item.employee_id);
    app.db.audit(Action::QuarantineReplayed, AuditSubject::new("window", id)).await?;
    // The window is marked to be tried again automatically. If this process crashes before it has
    // published the recorded window, another attempt publishes it.
    app.store.quarantine.try_again(&[&quarantined]).await?;
    record_all(&app, vec![quarantined.item.into()]).await?;
    let still_quarantined = app.store.quarantine.under(id, Some(employee)).await?;
    let state = match still_quarantined.iter().find(|quarantined| WindowContent::from(&quarantined.item) == content) {
        Some(quarantined) => state_of(&app, quarantined).await?,
        None => {
            let stored = app.store.windows.find(id, Some(employee)).await?;
            recorded(&app, stored.ok_or_else(|| Failure::not_found("window"))?).await?
        }
    };
    Ok(state.told_to(request.set_aside))
}

/// The quarantined window with this id and, if given, this content. Windows with a decision are
/// left out if there is one without a decision. Refuses a caller who may not decide about the
/// window's employee, and answers 409 if several windows are left.
pub(super) async fn one(
    app: &App,
    id: WindowId,
    content: Option<ContentHash>,
    within: Option<&Within>,
) -> Result<Quarantined, Error> {
    let mut quarantined = app.store.quarantine.under(id, None).await?;
    if let Some(content) = content {
        quarantined.retain(|quarantined| WindowContent::from(&quarantined.item).hash() == content);
    }
    if let Some(within) = within {
        let decidable = |quarantined: &Quarantined| within.require_decidable(quarantined.item.employee_id);
        match quarantined.iter().find_map(|quarantined| decidable(quarantined).err()) {
            Some(refusal) if quarantined.iter().all(|quarantined| decidable(quarantined).is_err()) => {
                return Err(refusal.into());
            }
            _ => quarantined.retain(|quarantined| decidable(quarantined).is_ok()),
        }
    }
    if quarantined.iter().any(|quarantined| quarantined.decision.is_none()) {
        quarantined.retain(|quarantined| quarantined.decision.is_none());
    }
    let found = quarantined.pop().ok_or_else(|| Failure::not_found("window that is held back"))?;
    match quarantined.is_empty() {
        true => Ok(found),
        false => {
            let detail = "Several windows are held under this id. Name one of them by its content, as the list shows \
                          it (?content=…).";
            Err(Failure::new(Code::Conflict, detail).into())
        }
    }
}
