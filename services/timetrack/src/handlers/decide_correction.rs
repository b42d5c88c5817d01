use std::{sync::Arc, time::Duration};

use contracts::{
    AcceptCorrection, Action, Actor, AuditSubject, Bounded, Code, CorrectionDecided, CorrectionId, CorrectionRequest,
    CorrectionStatus, EventId, Failure, IngestItem, Note, RefuseCorrection, Window, WindowsRecorded, Within, changed,
};
use kit::{Call, Error, Tx};

use super::{
    correct::{PUBLISHED, change_in},
    correction_requests::{admitted, as_window},
};
use crate::{
    App, Step,
    consumers::settled_in,
    domain::{Admitted, Verdict, Worked, changes, correct, decide, needs_admission, record},
    store::{StoredCorrection, StoredWindow},
};

/// Makes the requested change, and stores the decision in the same transaction. If the request is
/// repeated, the change is made once.
pub(crate) async fn accept_correction(
    app: Arc<App>,
    call: Call,
    Bounded { asked: AcceptCorrection { id, reason }, within }: Bounded<AcceptCorrection>,
) -> Result<CorrectionRequest, Error> {
    let asked = decidable(&app, &call, id, within.as_ref()).await?.request;
    let item = as_window(&app, &asked).await?;
    let verdict = Verdict { recorded_as: Some(item.id), ..verdict(&app, &call, CorrectionStatus::Accepted, reason) };
    let is_open = asked.status == CorrectionStatus::Asked;
    let new = match is_open && needs_admission(&asked) {
        true => {
            let terms = admitted(&app, &item).await?;
            asked.window_id.is_none().then(|| new_window(&asked, item, terms))
        }
        false => None,
    };
    settle(&app, &call, id, verdict, new.as_ref()).await
}

/// Refuses a requested correction. A repeated request changes nothing.
pub(crate) async fn refuse_correction(
    app: Arc<App>,
    call: Call,
    Bounded { asked: RefuseCorrection { id, reason }, within }: Bounded<RefuseCorrection>,
) -> Result<CorrectionRequest, Error> {
    decidable(&app, &call, id, within.as_ref()).await?;
    let verdict = verdict(&app, &call, CorrectionStatus::Refused, Some(reason));
    settle(&app, &call, id, verdict, None).await
}

/// The correction with this id, if the caller may decide about it. Nobody may decide about their
/// own request, whatever their role is.
async fn decidable(
    app: &App,
    call: &Call,
    id: CorrectionId,
    within: Option<&Within>,
) -> Result<StoredCorrection, Error> {
    call.require_admin()?;
    let found = app.store.corrections.find(id).await?.ok_or_else(|| Failure::not_found("correction"))?;
    let employee = found.request.employee_id;
    if matches!(call.actor, Some(Actor::Person { employee: decider, .. }) if decider == employee) {
        return Err(Within::own_time().into());
    }
    within.map_or(Ok(()), |within| within.require_decidable(employee))?;
    Ok(found)
}

fn verdict(app: &App, call: &Call, status: CorrectionStatus, reason: Option<Note>) -> Verdict {
    let by = call.actor.map(|actor| actor.in_any_session().to_string());
    Verdict { status, by, at: app.clock.now(), reason, recorded_as: None }
}

/// Stores the decision and, in the same transaction, the change of recorded time.
async fn settle(
    app: &App,
    call: &Call,
    id: CorrectionId,
    verdict: Verdict,
    new: Option<&StoredWindow>,
) -> Result<CorrectionRequest, Error> {
    let timezone = app.store.settings.get().await?.timezone;
    let settled = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        let was = app.store.corrections.load(tx, id).await?.ok_or_else(|| Failure::not_found("correction"))?;
        let Some(now) = decide(&was.request, verdict.clone())? else { return Ok(was.request) };
        let action = match now.status {
            CorrectionStatus::Accepted => {
                make(app, tx, call.actor, &was, new).await?;
                Action::CorrectionAccepted
            }
            _ => Action::CorrectionRefused,
        };
        let changes = changed(&was.request, &now);
        app.store.corrections.save(tx, &StoredCorrection { request: now.clone(), ..was }).await?;
        tx.emit(&CorrectionDecided { correction: now.clone(), timezone: timezone.clone() }).await?;
        tx.audit(action, AuditSubject::new("correction", id), changes).await?;
        app.faults.at(Step::Deciding).await;
        Ok(now)
    })?;
    app.db.until_published(PUBLISHED).await?;
    Ok(settled)
}

/// Makes the requested change: changes or voids the recorded window, or records the new one.
async fn make(
    app: &App,
    tx: &mut Tx<'_>,
    by: Option<Actor>,
    asked: &StoredCorrection,
    new: Option<&StoredWindow>,
) -> Result<(), Error> {
    let (request, at) = (&asked.request, app.clock.now());
    let Some(window) = request.window_id else { return record_new(app, tx, new).await };
    let changed = change_in(app, tx, by, window, Some(&request.reason), |was| {
        if asked.window_revision != Some(was.revision) {
            let detail = "The window has changed since this was asked for, so nobody knows whether it is still meant. \
                          Refuse this, and have it asked for again.";
            return Err(Failure::new(Code::Conflict, detail));
        }
        let now = match request.void {
            true => was.void(at),
            false => was.saying(correct(&was.window, &changes(request, &was.window), at)?),
        };
        Ok(Some(StoredWindow { window: Window { correction_id: Some(request.id), ..now.window.clone() }, ..now }))
    });
    changed.await.map(drop)
}

/// The window for new time that a correction requests.
fn new_window(request: &CorrectionRequest, item: IngestItem, terms: Admitted) -> StoredWindow {
    let hash = item.hash;
    StoredWindow::new(Window { correction_id: Some(request.id), ..record(item, terms) }, hash)
}

/// Records the window for new time that a correction requests.
async fn record_new(app: &App, tx: &mut Tx<'_>, new: Option<&StoredWindow>) -> Result<(), Error> {
    let new = new.ok_or_else(|| anyhow::anyhow!("a new time is accepted without a look at who may track"))?;
    if app.store.windows.get(tx, new.id).await?.is_some() {
        return Err(Failure::new(Code::Conflict, "Another window has the id that this one would have.").into());
    }
    let worked = Worked::of_window(&new.window).ok_or_else(|| anyhow::anyhow!("a new time that is empty"))?;
    if let Some(by) = settled_in(app, tx, &[worked]).await?.into_iter().flatten().next() {
        return Err(app.store.settlements.refusal(by).await?.into());
    }
    app.store.windows.insert_one(tx, new).await?;
    let batch = kit::new_id::<EventId>().to_string();
    tx.emit(&WindowsRecorded { batch, windows: vec![new.fact()] }).await
}
