use std::{sync::Arc, time::Duration};

use contracts::{
    Action, AdjustedSum, AdjustmentMade, AdmitQuarantined, AuditSubject, Bounded, Code, DAY, DiscardQuarantined,
    EventId, Failure, Millis, TimeMark, TimeRange, Window, WindowContent, WindowId, WindowsRecorded, created, fitted,
};
use kit::{Call, Error, Tx, mongo};
use uuid::Uuid;

use super::{list::with_negative_time, periods::PUBLISHED, quarantine::one};
use crate::{
    App,
    consumers::publish,
    domain::{Decision, Held, Settled, SettledBy, Worked, admit_anyway, record, refusal, uncovered},
    store::{StoredAdjustment, StoredWindow},
};

/// How far ahead an open moment is looked for, in milliseconds: nobody approves further ahead.
const TO_COME: i64 = 400 * DAY;

/// Records a window from quarantine because an admin says so. It can be asked again: it is recorded
/// once.
pub(crate) async fn admit_quarantined(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<AdmitQuarantined>,
) -> Result<Window, Error> {
    call.require_admin()?;
    let held = one(&app, request.id, request.content, within.as_ref()).await?;
    let stored = match admit(&app, &call, &held).await? {
        Admitted::Recorded(stored) => *stored,
        // With its decision, and its entry in the trail.
        Admitted::Adjusted(adjustment) => {
            app.db.until_published(PUBLISHED).await?;
            return Ok(adjustment.window);
        }
    };
    publish(&app, vec![stored.fact()]).await?;
    if !is_admitted(&held) {
        let decision = decision(&app, &call, Some(stored.id));
        kit::change!(app.db.awaited(Duration::ZERO), tx => {
            app.store.quarantine.decide(tx, &held, &decision).await?;
            tx.audit(Action::QuarantineAdmitted, AuditSubject::new("window", stored.id), None).await
        })?;
    }
    let window = with_negative_time(&app, vec![stored.window]).await?.pop();
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

/// What an admitted window has become.
enum Admitted {
    Recorded(Box<StoredWindow>),
    Adjusted(Box<StoredAdjustment>),
}

/// Records what is held. Where other content has its id, under an id of its own. What is settled of its
/// time becomes an adjustment.
async fn admit(app: &App, call: &Call, held: &Held) -> Result<Admitted, Error> {
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
    match insert(app, call, held, &window).await? {
        Inserted::New => return Ok(Admitted::Recorded(Box::new(window))),
        Inserted::Adjusted(adjustment) => return Ok(Admitted::Adjusted(adjustment)),
        Inserted::Taken => {}
    }
    match app.store.windows.find(window.id, None).await? {
        Some(stored) if app.store.windows.was_sent_as(&stored, content, item.hash).await? => {
            Ok(Admitted::Recorded(Box::new(stored)))
        }
        _ => Err(Failure::new(Code::Unavailable, "Its id was taken in this moment. Try again.").into()),
    }
}

/// What became of a window that was to be inserted.
enum Inserted {
    New,
    /// Its id is taken.
    Taken,
    Adjusted(Box<StoredAdjustment>),
}

/// Records a window; what is settled of its time is counted where time is open.
async fn insert(app: &App, call: &Call, held: &Held, window: &StoredWindow) -> Result<Inserted, Error> {
    let worked = Worked::of_window(&window.window).ok_or_else(|| Failure::not_found("window that is held back"))?;
    let (now, timezone) = (app.clock.now(), app.store.settings.get().await?.timezone);
    let to_come = TimeRange::new(now, now + TO_COME).map_err(anyhow::Error::from)?;
    let inserted = kit::change!(app.db.awaited(Duration::ZERO), tx => {
        if let Some(adjustment) = app.store.adjustments.load(tx, window.id).await? {
            return Ok(Inserted::Adjusted(Box::new(adjustment)));
        }
        if app.store.windows.get(tx, window.id).await?.is_some() {
            return Ok(Inserted::Taken);
        }
        let settled = app.store.settlements.hold(tx, &[worked, Worked { range: to_come, ..worked }]).await?;
        if settled.by(worked).is_some() {
            let adjustment = adjust(app, tx, &settled, worked, window, now).await?;
            let decision = decision(app, call, Some(window.id));
            app.store.quarantine.decide(tx, held, &decision).await?;
            let made = AdjustmentMade { adjustment: adjustment.clone().shown(), timezone: timezone.clone() };
            tx.emit(&made).await?;
            let told = created(&made.adjustment);
            tx.audit(Action::QuarantineAdmitted, AuditSubject::new("window", window.id), told).await?;
            return Ok(Inserted::Adjusted(Box::new(adjustment)));
        }
        let beside = settled.locks_beside(worked);
        if let Some((project, until)) = app.store.windows.overlaps_on(Some(tx), worked, &beside).await? {
            return Err(SettledBy::Project { project, until }.refusal().into());
        }
        app.store.windows.insert_one(tx, window).await?;
        Ok(Inserted::New)
    });
    match inserted {
        // A worker has recorded it in this moment.
        Err(Error::Mongo(error)) if mongo::is_duplicate(&error) => Ok(Inserted::Taken),
        inserted => inserted,
    }
}

/// Has what is settled of a window, and counted nowhere yet, count at the first open moment. What of it lies
/// in open time is recorded there.
async fn adjust(
    app: &App,
    tx: &mut Tx<'_>,
    settled: &Settled,
    worked: Worked,
    stored: &StoredWindow,
    now: Millis,
) -> Result<StoredAdjustment, Error> {
    let parts = settled.parts(worked);
    let mut counted: Vec<TimeRange> = Vec::new();
    if !app.config.count_overlaps {
        let others = app.store.windows.deciding_in(tx, worked.employee, worked.range).await?;
        counted.extend(others.iter().filter_map(|fact| TimeRange::new(fact.start, fact.end).ok()));
        let before = app.store.adjustments.belonging(tx, worked.employee, worked.range).await?;
        counted.extend(before.into_iter().flat_map(|one| one.parts));
    }
    let counts = uncovered(&parts, &counted);
    let sum = AdjustedSum::of(&stored.fact(), counts.iter().copied());
    // Where every window counts for itself, none takes from another.
    let counted = if app.config.count_overlaps { Vec::new() } else { counts };
    let adjustment = StoredAdjustment {
        id: stored.id,
        employee: worked.employee,
        counts_at: settled.next_open(worked.employee, worked.project, now),
        sum,
        hash: TimeMark::of_adjustment(stored.id, sum),
        window: stored.window.clone(),
        parts: parts.clone(),
        counted,
    };
    app.store.adjustments.insert(tx, &adjustment).await?;
    for settlement in adjustment.settlements() {
        tx.emit(&settlement).await?;
    }
    let mut open = Vec::new();
    for rest in uncovered(&[worked.range], &parts) {
        let window = part_of(stored, rest);
        app.store.windows.insert_one(tx, &window).await?;
        open.push(window.fact());
    }
    if !open.is_empty() {
        let batch = kit::new_id::<EventId>().to_string();
        tx.emit(&WindowsRecorded { batch, windows: open }).await?;
    }
    Ok(adjustment)
}

/// The part of a window that lies in a range, as a window of its own.
fn part_of(stored: &StoredWindow, range: TimeRange) -> StoredWindow {
    let id = WindowId(Uuid::new_v5(&stored.id.0, format!("from {}", range.start()).as_bytes()));
    let mut window = Window { id, start: range.start(), end: range.end(), ..stored.window.clone() };
    window.start_translated = window.start - window.timezone_offset;
    window.end_translated = window.end - window.timezone_offset;
    let (rates, parts) = fitted(window.rates(), std::mem::take(&mut window.rate_parts), range);
    window.set_rates(rates, parts);
    StoredWindow::new(window, stored.hash)
}

/// The id of a window whose own belongs to other content: always the same, so that it is recorded
/// once.
fn own_id(id: WindowId, content: WindowContent) -> WindowId {
    WindowId(Uuid::new_v5(&id.0, content.hash().0.as_bytes()))
}
