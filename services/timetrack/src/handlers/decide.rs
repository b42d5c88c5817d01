use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AdmitQuarantined, AuditSubject, Bounded, Code, DiscardQuarantined, Failure, TimeRange, Window,
    WindowContent, WindowId,
};
use kit::{Call, Error, mongo};
use uuid::Uuid;

use super::{list::with_negative_time, quarantine::one};
use crate::{
    App,
    consumers::{publish, settled_in},
    domain::{Decision, Held, Worked, admit_anyway, record, refusal},
    store::StoredWindow,
};

/// Records a window from quarantine because an admin says so. It can be asked again: it is recorded
/// once.
pub(crate) async fn admit_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<AdmitQuarantined>,
) -> Result<Window, Error> {
    call.require_admin()?;
    let held = one(&app, request.id, request.content, within.as_ref()).await?;
    let stored = admit(&app, &held).await?;
    publish(&app, vec![stored.fact()]).await?;
    if !is_admitted(&held) {
        let decision = decision(&app, &call, Some(stored.id));
        kit::change!(app.db.awaited(Duration::ZERO), tx => {
            app.store.quarantine.decide(tx, &held, &decision).await?;
            tx.audit(Action::QuarantineAdmitted, AuditSubject::new("window", stored.id), None).await
        })?;
    }
    let window = with_negative_time(&app, vec![stored]).await?.pop();
    window.ok_or_else(|| Failure::not_found("window").into())
}

/// Decides that a window in quarantine is not recorded. It is kept.
pub(crate) async fn discard_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<DiscardQuarantined>,
) -> Result<(), Error> {
    call.require_admin()?;
    let held = one(&app, request.id, request.content, within.as_ref()).await?;
    let decision = decision(&app, &call, None);
    let is_decided = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let is_first = !is_admitted(&held) && app.store.quarantine.decide(tx, &held, &decision).await?;
        if is_first {
            tx.audit(Action::QuarantineDiscarded, AuditSubject::new("window", request.id), None).await?;
        }
        Ok(is_first)
    })?;
    if is_decided {
        return Ok(());
    }
    // Somebody has decided before, or in this moment.
    match one(&app, request.id, request.content, within.as_ref()).await? {
        held if is_admitted(&held) => {
            Err(Failure::new(Code::Conflict, "The window has been admitted: void the recorded one instead.").into())
        }
        _ => Ok(()),
    }
}

fn is_admitted(held: &Held) -> bool {
    held.decision.as_ref().is_some_and(|decision| decision.recorded_as.is_some())
}

fn decision(app: &App, call: &Call, recorded_as: Option<WindowId>) -> Decision {
    Decision { recorded_as, by: call.actor.map(|actor| actor.in_any_session().to_string()), at: app.clock.now() }
}

/// Records what is held. Where other content has its id, under an id of its own.
async fn admit(app: &App, held: &Held) -> Result<StoredWindow, Error> {
    let (mut item, content) = (held.item.clone(), WindowContent::from(&held.item));
    let why = |code| Failure::new(code, format!("{} It cannot be recorded; discard it.", refusal(code)));
    TimeRange::new(content.start, content.end).map_err(|_| why(Code::Invalid))?;
    let terms = admit_anyway(&item, &app.store.priced_parties(&[&item]).await?).map_err(why)?;
    if let Some(stored) = app.store.windows.find(item.id, None).await?
        && !app.store.windows.was_sent_as(&stored, content, item.hash).await?
    {
        item.id = own_id(item.id, content);
    }
    let window = StoredWindow::new(record(item.clone(), terms), item.hash);
    if insert(app, &window).await? {
        return Ok(window);
    }
    match app.store.windows.find(window.id, None).await? {
        Some(stored) if app.store.windows.was_sent_as(&stored, content, item.hash).await? => Ok(stored),
        _ => Err(Failure::new(Code::Unavailable, "Its id was taken in this moment. Try again.").into()),
    }
}

/// Records a window, unless its time is settled; says whether its id was free.
async fn insert(app: &App, window: &StoredWindow) -> Result<bool, Error> {
    let worked = Worked::of_window(&window.window);
    let inserted = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        if app.store.windows.get(tx, window.id).await?.is_some() {
            return Ok(false);
        }
        if let Some(worked) = worked
            && let Some(by) = settled_in(app, tx, worked).await?
        {
            return Err(by.refusal().into());
        }
        app.store.windows.insert_one(tx, window).await?;
        Ok(true)
    });
    match inserted {
        // A worker has recorded it in this moment.
        Err(Error::Mongo(error)) if mongo::is_duplicate(&error) => Ok(false),
        inserted => inserted,
    }
}

/// The id of a window whose own belongs to other content: always the same, so that it is recorded
/// once.
fn own_id(id: WindowId, content: WindowContent) -> WindowId {
    WindowId(Uuid::new_v5(&id.0, content.hash().0.as_bytes()))
}
