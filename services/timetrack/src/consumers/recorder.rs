use std::{collections::HashSet, time::Instant};

use contracts::{
    Code, IngestItem, Millis, Outcome, QUARANTINED_AN_EVENT, QuarantineChanged, WINDOWS_AN_EVENT, WindowContent,
    WindowFact, WindowId, WindowState, WindowsRecorded,
};
use kit::Error;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    check::{Fate, check},
    kept_out::kept_out,
    second_look::recorded_by_now,
    settled::{settled_by, take_back},
};
use crate::{
    App, Step,
    domain::{Next, QuarantineReason, Quarantined, record, untimely},
    metrics::received,
    store::StoredWindow,
};

/// A window to record.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) item: IngestItem,
    /// The sequence number of the window's message in the queue; none if the window comes from
    /// quarantine.
    pub(crate) seq: Option<u64>,
    /// Whether the window may have been delivered before. Then an earlier attempt may have
    /// quarantined it without sending an answer.
    pub(crate) again: bool,
    /// Whether the sender only needs to know that the window is recorded, and not its recorded
    /// values.
    pub(crate) brief: bool,
}

impl From<IngestItem> for Arrival {
    fn from(item: IngestItem) -> Self {
        Self { item, seq: None, again: true, brief: true }
    }
}

/// The result of recording a window.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    /// For a quarantined window that is answered as queued: the reason, and a sentence that says
    /// what happens next.
    pub(crate) aside: Option<(Code, String)>,
}

impl From<Outcome> for Settled {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, aside: None }
    }
}

impl From<Quarantined> for Settled {
    fn from(quarantined: Quarantined) -> Self {
        match quarantined.state() {
            WindowState::SetAside { code, detail } => Self { outcome: Outcome::Queued, aside: Some((code, detail)) },
            WindowState::Rejected { code: Code::Conflict, .. } => Outcome::Conflict.into(),
            WindowState::Rejected { code, detail } => Outcome::Rejected { code, detail }.into(),
            WindowState::Queued | WindowState::Recorded(_) => Outcome::Queued.into(),
        }
    }
}

/// The windows that were recorded and must be published.
#[derive(Default)]
struct Recorded {
    facts: Vec<WindowFact>,
    /// The windows to remove from quarantine, if they are quarantined.
    windows: Vec<(WindowId, WindowContent)>,
}

impl Recorded {
    /// Adds a recorded window that was sent with this content.
    fn add(&mut self, stored: &StoredWindow, sent: WindowContent) {
        self.facts.push(stored.fact());
        self.windows.push((stored.id, sent));
    }
}

/// Checks windows and records those that may be recorded. Returns the results in the same order.
/// Every step can be repeated: after a crash at any point, the same windows are delivered again.
pub(crate) async fn record_all(app: &App, arrivals: Vec<Arrival>) -> Result<Vec<Settled>, Error> {
    let (started, received_at) = (Instant::now(), received(&arrivals));
    let settled = check_and_record(app, arrivals).await?;
    app.metrics.took.observe(started.elapsed().as_secs_f64());
    app.metrics.settled(&received_at, settled.iter().map(|one| &one.outcome), app.clock.now());
    Ok(settled)
}

async fn check_and_record(app: &App, arrivals: Vec<Arrival>) -> Result<Vec<Settled>, Error> {
    let (now, earliest) = (app.clock.now(), app.config.limits.earliest_window.0);
    let again = arrivals.iter().any(|arrival| arrival.again);
    // The batch must be registered before anything is read, because a handler that settles time
    // waits for the batches in progress.
    let batch = app.settling.take_in_hand(now);
    let mut settled: Vec<Option<Settled>> = vec![None; arrivals.len()];
    let (mut places, mut timely, mut to_quarantine) = (Vec::new(), Vec::new(), Vec::new());
    for (place, arrival) in arrivals.into_iter().enumerate() {
        let sent = &arrival.item.window;
        match untimely(sent.start, sent.end, earliest, now) {
            Some(reason) => to_quarantine.push((place, arrival, reason)),
            None => {
                places.push((place, arrival.seq, arrival.again, arrival.brief));
                timely.push(arrival.item);
            }
        }
    }

    let mut complete_up_to = if timely.is_empty() { None } else { complete(app).await };
    let fates = check(app, &timely, complete_up_to).await?;
    let (mut admitted, mut windows) = (Vec::new(), Vec::new());
    if !timely.is_empty() && !batch.is_fresh(app.clock.now()) {
        app.settling.say(app).await?;
        complete_up_to = complete(app).await;
    }
    let items: Vec<&IngestItem> = timely.iter().collect();
    let settled_before = settled_by(app, &items, complete_up_to.is_some()).await?;
    let knows_quarantined = complete_up_to.is_some() && !again;
    let kept_out = kept_out(app, &items, knows_quarantined).await?;
    let judged = fates.into_iter().zip(settled_before).zip(kept_out);
    for (((place, seq, again, brief), item), ((fate, by), kept_out)) in places.into_iter().zip(timely).zip(judged) {
        let arrival = Arrival { item, seq, again, brief };
        match fate {
            Fate::Admitted(_) if kept_out.is_some() || by.is_some() => {
                to_quarantine.push((place, arrival, kept_out.unwrap_or(SETTLED)));
            }
            Fate::Admitted(terms) => {
                windows.push(StoredWindow::new(record(arrival.item.clone(), terms), arrival.item.hash));
                admitted.push((place, arrival));
            }
            Fate::HeldBack { code, waiting } => {
                let next = if waiting { Next::Soon } else { Next::Admin };
                to_quarantine.push((place, arrival, QuarantineReason { code, next }));
            }
        }
    }

    app.faults.at(Step::Checked).await;
    let mut recorded = Recorded::default();
    let inserted = app.store.windows.insert(&windows).await?;
    app.faults.at(Step::Written).await;
    let is_new = |n: usize| !inserted.refused.contains(&n);
    let mut taken_back = HashSet::new();
    if !windows.is_empty() && !batch.is_fresh(app.clock.now()) {
        let new: Vec<&StoredWindow> = (0..windows.len()).filter(|n| is_new(*n)).map(|n| &windows[n]).collect();
        taken_back = take_back(app, &new).await?;
    }
    for (n, ((place, arrival), window)) in admitted.into_iter().zip(&windows).enumerate() {
        let content = WindowContent::from(&arrival.item);
        if taken_back.contains(&window.id) {
            to_quarantine.push((place, arrival, SETTLED));
            continue;
        }
        if is_new(n) {
            recorded.add(window, content);
            settled[place] = Some(Outcome::Stored(told(window, arrival.brief)?).into());
            continue;
        }
        match inserted.taken.get(&window.id) {
            // The window is published again, because an earlier attempt may have crashed after
            // recording and before publishing.
            Some(stored) if app.store.windows.was_sent_as(stored, content, window.hash).await? => {
                recorded.add(stored, content);
                settled[place] = Some(Outcome::Duplicate(told(stored, arrival.brief)?).into());
            }
            _ => to_quarantine.push((place, arrival, CONFLICT)),
        }
    }
    let (mut quarantined, mut newly_quarantined) = (Vec::new(), Vec::new());
    for (place, arrival, reason) in to_quarantine {
        // A window from quarantine is not new: it was published as quarantined when it came from
        // the queue.
        let (is_new, brief) = (arrival.seq.is_some(), arrival.brief);
        match quarantine(app, arrival, reason, now, &mut recorded).await? {
            Kept::Recorded(one) => settled[place] = Some(one),
            Kept::Quarantined(row) => {
                newly_quarantined.extend(is_new.then_some(row.window_id));
                quarantined.push((place, *row, brief));
            }
        }
    }
    app.faults.at(Step::Inserted).await;
    publish_quarantined(app, newly_quarantined).await?;
    // Another replica may have recorded one of these windows before it learned that the window is
    // quarantined. Then the window is in both collections.
    let by_now = recorded_by_now(app, quarantined.iter().map(|(_, row, _)| row)).await?;
    let mut any_in_both = false;
    for ((place, row, brief), stored) in quarantined.into_iter().zip(by_now) {
        settled[place] = Some(match stored {
            // In settled time, the replica that recorded the window may be removing it. So the
            // window is not published here.
            Some(stored) if row.code != Code::PeriodLocked => {
                any_in_both = true;
                recorded.add(&stored, WindowContent::from(&row.item));
                Outcome::Duplicate(told(&stored, brief)?).into()
            }
            _ => row.into(),
        });
    }
    publish(app, recorded.facts).await?;
    // The database is searched for quarantined windows unless the cache is known to have all of
    // them. The cache may lack windows that were quarantined since the batch began, so it is not
    // trusted if the batch took long or found a window in both collections.
    let knows_quarantined = knows_quarantined && !any_in_both && batch.is_fresh(app.clock.now());
    let may_be_quarantined =
        || !knows_quarantined || app.memory.may_be_quarantined(recorded.windows.iter().map(|(id, _)| *id));
    if !recorded.windows.is_empty() && may_be_quarantined() {
        app.store.quarantine.release(&recorded.windows).await?;
        app.memory.let_go(recorded.windows.iter().map(|(id, _)| *id));
    }
    app.faults.at(Step::Published).await;
    Ok(settled.into_iter().flatten().collect())
}

/// The moment up to which the cache is complete, from a query that begins after this call. None if
/// it is unknown, or if the copies in the database may lack an event.
async fn complete(app: &App) -> Option<Millis> {
    app.memory.complete().await.filter(|_| app.reconciler.is_whole())
}

/// The recorded window as JSON for its sender; null if the sender only needs to know that it is
/// recorded.
fn told(stored: &StoredWindow, brief: bool) -> Result<Box<RawValue>, Error> {
    if brief { Ok(RawValue::NULL.to_owned()) } else { Ok(to_raw_value(&stored.window)?) }
}

/// The reason for a window in settled time. An admin must admit the window or reopen the time.
const SETTLED: QuarantineReason = QuarantineReason { code: Code::PeriodLocked, next: Next::Admin };

/// The reason for a window whose id belongs to another window. The window is kept in quarantine,
/// because its sender may have been answered 202 before.
const CONFLICT: QuarantineReason = QuarantineReason { code: Code::Conflict, next: Next::Admin };

/// The result of [`quarantine`].
enum Kept {
    Quarantined(Box<Quarantined>),
    /// The window was recorded before, so it is not quarantined.
    Recorded(Settled),
}

/// Quarantines a window, unless the same window was recorded before.
async fn quarantine(
    app: &App,
    arrival: Arrival,
    mut reason: QuarantineReason,
    now: Millis,
    recorded: &mut Recorded,
) -> Result<Kept, Error> {
    let Arrival { item, seq, again: _, brief } = arrival;
    if reason != CONFLICT
        && let Some(stored) = app.store.windows.find(item.id, Some(item.employee_id)).await?
    {
        let content = WindowContent::from(&item);
        if app.store.windows.was_sent_as(&stored, content, item.hash).await? {
            recorded.add(&stored, content);
            return Ok(Kept::Recorded(Outcome::Duplicate(told(&stored, brief)?).into()));
        }
        reason = CONFLICT;
    }
    Ok(Kept::Quarantined(Box::new(app.store.quarantine.add(Quarantined::new(item, seq, reason, now)).await?)))
}

/// Publishes the ids of quarantined windows. This must happen before the windows are answered: a
/// client may send a window again, and the worker that records the window then must know that the
/// window is quarantined.
async fn publish_quarantined(app: &App, quarantined: Vec<WindowId>) -> Result<(), Error> {
    for windows in quarantined.chunks(QUARANTINED_AN_EVENT) {
        let id: contracts::EventId = kit::new_id();
        app.bus.publish_event(id, &QuarantineChanged { batch: id.to_string(), windows: windows.to_vec() }).await?;
    }
    Ok(())
}

/// Publishes recorded windows. The message of the windows is acknowledged only after these events
/// are in the stream, so a redelivery of the message repeats what a crash has prevented. No outbox
/// is needed.
async fn publish(app: &App, facts: Vec<WindowFact>) -> Result<(), Error> {
    // The events are published concurrently, because JetStream syncs each of them to disk.
    let events = facts.chunks(WINDOWS_AN_EVENT).map(|windows| async {
        let id: contracts::EventId = kit::new_id();
        let event = WindowsRecorded { batch: id.to_string(), windows: windows.to_vec() };
        app.bus.publish_compressed(id, &event).await
    });
    futures::future::try_join_all(events).await?;
    Ok(())
}
