use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AskCorrection, AuditSubject, Bounded, Caller, Code, CorrectionCursor, CorrectionRequest, CorrectionTaken,
    EmployeeId, Failure, GetCorrection, IngestItem, ListCorrections, Page, WindowId, created,
};
use kit::{Call, Error};
use uuid::Uuid;

use crate::{
    App,
    consumers::{Fate, check},
    domain::{Admitted, ask, by_hand, needs_admission, refusal},
    store::{StoredCorrection, StoredWindow},
};

/// Stores the correction that an employee requests. A repeated request gets the stored correction.
pub(crate) async fn ask_correction(
    app: Arc<App>,
    call: Call,
    request: AskCorrection,
) -> Result<CorrectionTaken, Error> {
    let AskCorrection { id, asked: sent } = request;
    let Caller::Employee(employee) = call.caller else {
        return Err(Failure::new(Code::Forbidden, "Employees ask for corrections of their own time.").into());
    };
    let repeated = |known: StoredCorrection| {
        if known.request.employee_id == employee && known.sent == sent {
            return Ok(CorrectionTaken { correction: known.request, repeated: true });
        }
        Err(Failure::new(Code::Conflict, "Another correction has this id. Ask with an id of its own, or without one."))
    };
    if let Some(known) = app.store.corrections.find(id).await? {
        return Ok(repeated(known)?);
    }
    let window = match sent.window_id {
        Some(window) => Some(own_window(&app, window, employee).await?),
        None => None,
    };
    let (now, earliest) = (app.clock.now(), app.config.limits.earliest_window.0);
    let known = window.as_ref().map(|stored| (&stored.window, stored.voided));
    let correction = ask(id, employee, &sent, known, now, earliest)?;
    if needs_admission(&correction) {
        admitted(&app, &as_window(&app, &correction).await?).await?;
    }
    let window_revision = window.map(|stored| stored.revision);
    let stored = StoredCorrection { id, request: correction, sent: sent.clone(), window_revision };
    let kept = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        app.store.corrections.insert(tx, &stored).await?;
        let changes = created(&stored.request);
        tx.audit(Action::CorrectionAsked, AuditSubject::new("correction", id), changes).await
    });
    match kept {
        Ok(()) => Ok(CorrectionTaken { correction: stored.request, repeated: false }),
        // The same request was stored at the same moment, usually by a repeated request of the
        // client.
        Err(Error::Mongo(error)) if kit::mongo::is_duplicate(&error) => {
            let known = app.store.corrections.find(id).await?.ok_or_else(kit::mongo::not_on_majority)?;
            Ok(repeated(known)?)
        }
        Err(error) => Err(error),
    }
}

/// The values for a window with the requested time, if its employee may track it. The rules are
/// those for windows of desktop apps.
///
/// # Errors
/// The reason of a refusal; 503 if it cannot be decided at this moment.
pub(super) async fn admitted(app: &App, item: &IngestItem) -> Result<Admitted, Error> {
    match check(app, std::slice::from_ref(item), app.memory.complete().await).await?.pop() {
        Some(Fate::Admitted(terms)) => Ok(terms),
        Some(Fate::HeldBack { code, waiting: false }) => Err(Failure::new(code, refusal(code)).into()),
        _ => {
            let detail = "It is not known yet who was on what at the time. Try again in a moment.";
            Err(Failure::new(Code::Unavailable, detail).into())
        }
    }
}

/// The window that a requested correction describes. It has the id of the window to correct; for
/// new time, an id that is computed from the correction's id.
pub(super) async fn as_window(app: &App, request: &CorrectionRequest) -> Result<IngestItem, Error> {
    let zone = app.store.settings.get().await?.timezone;
    let id = request.window_id.unwrap_or_else(|| WindowId(Uuid::new_v5(&request.id.0, b"window")));
    Ok(by_hand(id, request, &zone, app.clock.now()))
}

/// The recorded window with this id, which must belong to this employee.
async fn own_window(app: &App, id: WindowId, employee: EmployeeId) -> Result<StoredWindow, Error> {
    let found = app.store.windows.find(id, Some(employee)).await?;
    found.ok_or_else(|| Failure::not_found("recorded window").into())
}

/// Gets one correction. Employees see only their own, managers only those of their employees.
pub(crate) async fn get_correction(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<GetCorrection>,
) -> Result<CorrectionRequest, Error> {
    let missing = || Failure::not_found("correction");
    let found = app.store.corrections.find(request.id).await?.ok_or_else(missing)?.request;
    match call.caller {
        Caller::Employee(own) if own != found.employee_id => return Err(missing().into()),
        Caller::Employee(_) => {}
        _ => call.require_admin()?,
    }
    if let Some(within) = within {
        within.require(found.employee_id)?;
    }
    Ok(found)
}

/// Lists corrections, the newest first, page by page. Employees see only their own.
pub(crate) async fn list_corrections(
    app: Arc<App>,
    call: Call,
    Bounded { asked: mut request, within }: Bounded<ListCorrections>,
) -> Result<Page<CorrectionRequest, CorrectionCursor>, Error> {
    match (call.caller, request.employee_id) {
        (Caller::Employee(own), None) => request.employee_id = Some(own),
        (_, Some(employee)) => call.require_sight_of(employee)?,
        (_, None) => call.require_admin()?,
    }
    let found = app.store.corrections.list(&request, within).await?;
    let mut page = kit::page_within(found, CorrectionRequest::place).await?;
    if let Some(limit) = request.limit.filter(|limit| page.items.len() > *limit) {
        page.items.truncate(limit);
        page.next = page.items.last().map(CorrectionRequest::place);
    }
    Ok(page)
}
