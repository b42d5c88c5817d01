use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AdmitQuarantined, AuditSubject, Bounded, Code, DAY, DiscardQuarantined, EventId, Failure, TimeRange,
    Window, WindowContent, WindowId, WindowsRecorded, created,
};
use kit::{Call, Error, Tx, mongo};
use uuid::Uuid;

use super::{
    adjust::{Adjusted, adjust},
    list::with_negative_time,
    periods::PUBLISHED,
    quarantine::one,
};
use crate::{
    App, Step,
    consumers::{require_none_beside, until_all_have_heard},
    domain::{Decision, Quarantined, Worked, admit_anyway, record, refusal},
    store::{StoredAdjustment, StoredWindow},
};

/// How far in the future an open moment is searched for, in milliseconds. Nobody approves periods
/// further in the future.
const TO_COME: i64 = 400 * DAY;
/// How often an admission is tried. It fails once if a worker records the same window at that
/// moment, and once whenever workers must first read a reservation.
const TRIES: usize = 5;

/// Records a quarantined window because an admin has decided so. If the request is repeated, the
/// window is recorded once.
pub(crate) async fn admit_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<AdmitQuarantined>,
) -> Result<Window, Error> {
    call.require_admin()?;
    let quarantined = one(&app, request.id, request.content, within.as_ref()).await?;
    let admitted = match before(&app, &quarantined).await? {
        Some(admitted) => admitted,
        None => admit(&app, &call, &quarantined).await?,
    };
    // The window, the decision and the audit entry are one transaction. Here only its events must
    // still be published.
    app.db.until_published(PUBLISHED).await?;
    match admitted {
        Admitted::Adjusted(adjustment) => Ok(adjustment.window),
        Admitted::Recorded(stored) => {
            let window = with_negative_time(&app, vec![stored.window]).await?.pop();
            window.ok_or_else(|| Failure::not_found("window").into())
        }
    }
}

/// Decides that a quarantined window is not recorded. It stays in quarantine, with the decision.
pub(crate) async fn discard_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<DiscardQuarantined>,
) -> Result<(), Error> {
    call.require_admin()?;
    let quarantined = one(&app, request.id, request.content, within.as_ref()).await?;
    let content = WindowContent::from(&quarantined.item);
    if let Some(stored) = app.store.windows.find(quarantined.item.id, Some(quarantined.item.employee_id)).await?
        && app.store.windows.was_sent_as(&stored, content, quarantined.item.hash).await?
    {
        // The window was recorded by a worker that did not know that it was quarantined.
        app.store.quarantine.release(&[(quarantined.item.id, content)]).await?;
        return Err(recorded());
    }
    let decision = decision(&app, &call, None);
    let is_decided = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let is_first = app.store.quarantine.decide(tx, &quarantined, &decision).await?;
        if is_first {
            // An earlier admission may have reserved time, which is no longer needed.
            for id in [quarantined.item.id, own_id(quarantined.item.id, content)] {
                let given_back = app.store.reservations.take(tx, id).await?;
                tx.emit_all(&given_back).await?;
            }
            tx.audit(Action::QuarantineDiscarded, AuditSubject::new("window", request.id), None).await?;
        }
        Ok(is_first)
    })?;
    if is_decided {
        return Ok(());
    }
    // Another request has decided about the window first.
    match one(&app, request.id, request.content, within.as_ref()).await? {
        quarantined if quarantined.admitted_as().is_some() => Err(recorded()),
        _ => Ok(()),
    }
}

fn recorded() -> Error {
    Failure::new(Code::Conflict, "The window is recorded: void the recorded one instead.").into()
}

fn decision(app: &App, call: &Call, recorded_as: Option<WindowId>) -> Decision {
    Decision { recorded_as, by: call.actor.map(|actor| actor.in_any_session().to_string()), at: app.clock.now() }
}

/// The result of an admission: a recorded window or an adjustment.
enum Admitted {
    Recorded(Box<StoredWindow>),
    Adjusted(Box<StoredAdjustment>),
}

/// The result of an earlier admission of the same window; none if there was no earlier one.
async fn before(app: &App, quarantined: &Quarantined) -> Result<Option<Admitted>, Error> {
    let Some(id) = quarantined.admitted_as() else { return Ok(None) };
    let employee = Some(quarantined.item.employee_id);
    if let Some(adjustment) = app.store.adjustments.find(id, employee).await? {
        return Ok(Some(Admitted::Adjusted(Box::new(adjustment))));
    }
    let stored = app.store.windows.find(id, employee).await?;
    Ok(stored.map(|stored| Admitted::Recorded(Box::new(stored))))
}

/// Records a quarantined window. If its id belongs to another window, it gets a computed id. The
/// part of it in settled time becomes an adjustment.
async fn admit(app: &App, call: &Call, quarantined: &Quarantined) -> Result<Admitted, Error> {
    let (mut item, content) = (quarantined.item.clone(), WindowContent::from(&quarantined.item));
    let why = |code| Failure::new(code, format!("{} It cannot be recorded; discard it.", refusal(code)));
    TimeRange::new(content.start, content.end).map_err(|_| why(Code::Invalid))?;
    let terms = admit_anyway(&item, &app.store.priced_parties(&[&item]).await?).map_err(why)?;
    let adjustment = app.store.adjustments.find(item.id, None).await?;
    let is_taken = match app.store.windows.find(item.id, None).await? {
        Some(stored) => !app.store.windows.was_sent_as(&stored, content, item.hash).await?,
        None => false,
    };
    if is_taken || adjustment.is_some_and(|adjustment| WindowContent::from(&adjustment.window) != content) {
        item.id = own_id(item.id, content);
    }
    let window = StoredWindow::new(record(item.clone(), terms), item.hash);
    for _ in 0..TRIES {
        match insert(app, call, quarantined, &window).await {
            Ok(Inserted::Admitted(admitted)) => return Ok(admitted),
            Ok(Inserted::Reserved(settlements)) => {
                for settlement in &settlements {
                    until_all_have_heard(app, settlement).await?;
                }
            }
            // A worker has recorded a window with this id at the same moment, so the next attempt
            // finds it.
            Err(Error::Mongo(error)) if mongo::is_duplicate(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(taken().into())
}

fn taken() -> Failure {
    Failure::new(Code::Unavailable, "Somebody else records time there in this moment. Try again.")
}

/// The result of one attempt to record a window.
enum Inserted {
    Admitted(Admitted),
    /// Workers must first read these reservations. Then the next attempt follows.
    Reserved(Vec<contracts::SettlementChanged>),
}

/// Stores, in one transaction, a window with the decision, its audit entry and the events. The part
/// of the window in settled time becomes an adjustment.
async fn insert(app: &App, call: &Call, quarantined: &Quarantined, window: &StoredWindow) -> Result<Inserted, Error> {
    let worked = Worked::of_window(&window.window).ok_or_else(|| Failure::not_found("window that is held back"))?;
    let (now, timezone) = (app.clock.now(), app.store.settings.get().await?.timezone);
    let to_come = TimeRange::new(now, now + TO_COME).map_err(anyhow::Error::from)?;
    let decision = decision(app, call, Some(window.id));
    let (content, hash) = (WindowContent::from(&window.window), window.hash);
    kit::change!(app.db.awaited(Duration::ZERO), tx => {
        if let Some(adjustment) = app.store.adjustments.load(tx, window.id).await? {
            if WindowContent::from(&adjustment.window) != content {
                return Err(taken().into());
            }
            decide(app, tx, quarantined, &decision).await?;
            return Ok(Inserted::Admitted(Admitted::Adjusted(Box::new(adjustment))));
        }
        let known = app.store.windows.get(tx, window.id).await?;
        if let Some(stored) = known {
            if !app.store.windows.was_sent_as(&stored, content, hash).await? {
                return Err(taken().into());
            }
            if decide(app, tx, quarantined, &decision).await? {
                tell(tx, &stored).await?;
            }
            return Ok(Inserted::Admitted(Admitted::Recorded(Box::new(stored))));
        }
        let settled = app.store.settlements.hold(tx, &[worked, Worked { range: to_come, ..worked }]).await?;
        if settled.by(worked).is_some() {
            match adjust(app, tx, &settled, worked, window, now, &timezone).await? {
                Adjusted::Reserved(settlements) => return Ok(Inserted::Reserved(settlements)),
                Adjusted::Done(adjustment) => {
                    app.store.quarantine.decide(tx, quarantined, &decision).await?;
                    let told = created(&adjustment.clone().shown());
                    tx.audit(Action::QuarantineAdmitted, AuditSubject::new("window", window.id), told).await?;
                    return Ok(Inserted::Admitted(Admitted::Adjusted(adjustment)));
                }
            }
        }
        require_none_beside(app, tx, &settled, worked).await?;
        app.store.windows.insert_one(tx, window).await?;
        decide(app, tx, quarantined, &decision).await?;
        tell(tx, window).await?;
        app.faults.at(Step::Deciding).await;
        Ok(Inserted::Admitted(Admitted::Recorded(Box::new(window.clone()))))
    })
}

/// Stores the decision and its audit entry, unless a decision is stored already. Returns whether it
/// stored them.
async fn decide(app: &App, tx: &mut Tx<'_>, quarantined: &Quarantined, decision: &Decision) -> Result<bool, Error> {
    let is_first = app.store.quarantine.decide(tx, quarantined, decision).await?;
    if let Some(id) = decision.recorded_as.filter(|_| is_first) {
        tx.audit(Action::QuarantineAdmitted, AuditSubject::new("window", id), None).await?;
    }
    Ok(is_first)
}

async fn tell(tx: &mut Tx<'_>, stored: &StoredWindow) -> Result<(), Error> {
    let batch = kit::new_id::<EventId>().to_string();
    tx.emit(&WindowsRecorded { batch, windows: vec![stored.fact()] }).await
}

/// The id of a window whose own id belongs to another window. It is computed from the id and the
/// content, so a repeated admission records the window once.
fn own_id(id: WindowId, content: WindowContent) -> WindowId {
    WindowId(Uuid::new_v5(&id.0, content.hash().0.as_bytes()))
}
