use std::sync::Arc;

use contracts::{
    Failure, GetWindow, ListQuarantine, Page, QuarantineCursor, QuarantinedWindow, ReplayQuarantined, WindowState,
};
use kit::{Call, Error};

use crate::{App, consumers::record_all, domain::refusal, store::Held};

/// The windows in quarantine, the oldest first, page by page.
pub(crate) async fn list_quarantine(
    app: Arc<App>,
    call: Call,
    request: ListQuarantine,
) -> Result<Page<QuarantinedWindow, QuarantineCursor>, Error> {
    call.require_admin()?;
    let held = app.store.quarantine.all(request.after).await?;
    let shown = futures::TryStreamExt::map_ok(held, show);
    Ok(kit::page_within(shown, |w| QuarantineCursor { since: w.since, employee_id: w.employee_id, id: w.id }).await?)
}

/// Tries one window again by the rules as they are now, and says what became of it.
pub(crate) async fn replay_quarantined(
    app: Arc<App>,
    call: Call,
    request: ReplayQuarantined,
) -> Result<WindowState, Error> {
    call.require_admin()?;
    let held = app.store.quarantine.find(request.id, None).await?;
    let held = held.ok_or_else(|| Failure::not_found("window in quarantine"))?;
    record_all(&app, vec![held.item]).await?;
    super::get(app, call, GetWindow { id: request.id, seq: None }).await
}

fn show(held: Held) -> QuarantinedWindow {
    QuarantinedWindow {
        id: held.window_id,
        employee_id: held.item.employee_id,
        code: held.code,
        detail: refusal(held.code).to_owned(),
        waiting: held.waiting,
        received_at: held.item.received_at,
        since: held.since,
        window: held.item.window,
    }
}
