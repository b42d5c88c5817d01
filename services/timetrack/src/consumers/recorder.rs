use std::time::Instant;

use contracts::{Code, IngestItem, Outcome, WINDOWS_AN_EVENT, Window, WindowFact, WindowsRecorded};
use kit::Error;
use serde_json::value::to_raw_value;

use super::check::{Fate, check};
use crate::{
    App, Step,
    domain::{record, refusal},
    metrics::arrivals,
    store::{Held, StoredWindow},
};

/// Checks windows and records what may be recorded; gives the outcome of each, in order. All that
/// it does can be done again: a crash anywhere, and the same windows come once more.
pub(crate) async fn record_all(app: &App, items: Vec<IngestItem>) -> Result<Vec<Outcome>, Error> {
    let (started, received_at) = (Instant::now(), arrivals(&items));
    let outcomes = check_and_record(app, items).await?;
    app.metrics.took.observe(started.elapsed().as_secs_f64());
    app.metrics.settled(&received_at, &outcomes, app.clock.now());
    Ok(outcomes)
}

async fn check_and_record(app: &App, items: Vec<IngestItem>) -> Result<Vec<Outcome>, Error> {
    let fates = check(app, &items).await?;
    let mut outcomes: Vec<Option<Outcome>> = vec![None; items.len()];
    let mut facts = Vec::with_capacity(items.len());

    let (mut admitted, mut windows, mut held_back) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (item, fate)) in items.into_iter().zip(fates).enumerate() {
        match fate {
            Fate::Admitted(terms) => {
                let hash = item.hash;
                windows.push(StoredWindow::new(record(item, terms), hash));
                admitted.push(place);
            }
            Fate::HeldBack { code, waiting } => held_back.push((place, item, code, waiting)),
        }
    }

    let inserted = app.store.windows.insert(&windows).await?;
    for (n, window) in windows.iter().enumerate() {
        let outcome = if inserted.refused.contains(&n) {
            against(app, window, inserted.taken.get(&window.id), &mut facts).await?
        } else {
            facts.push(window.fact());
            Outcome::Stored(to_raw_value(&window.window)?)
        };
        outcomes[admitted[n]] = Some(outcome);
    }
    for (place, item, code, waiting) in held_back {
        outcomes[place] = Some(hold_back(app, item, code, waiting, &mut facts).await?);
    }
    app.faults.at(Step::Inserted).await;
    let now_recorded: Vec<_> = windows.iter().map(|w| (w.window.employee_id, w.id)).collect();
    tokio::try_join!(publish(app, facts), app.store.quarantine.release(&now_recorded))?;
    app.faults.at(Step::Published).await;
    Ok(outcomes.into_iter().flatten().collect())
}

/// What a window is beside the one that has its id already.
async fn against(
    app: &App,
    window: &StoredWindow,
    stored: Option<&StoredWindow>,
    facts: &mut Vec<WindowFact>,
) -> Result<Outcome, Error> {
    match stored {
        // Told again: we may have died between recording and telling.
        Some(stored) if app.store.windows.was_sent_as(stored, (&window.window).into(), window.hash).await? => {
            facts.push(stored.fact());
            Ok(Outcome::Duplicate(to_raw_value(&stored.window)?))
        }
        _ => Ok(Outcome::Conflict),
    }
}

/// Holds a window back, unless it was recorded when it still could be.
async fn hold_back(
    app: &App,
    item: IngestItem,
    code: Code,
    waiting: bool,
    facts: &mut Vec<WindowFact>,
) -> Result<Outcome, Error> {
    if let Some(stored) = app.store.windows.find(item.id, Some(item.employee_id)).await? {
        if !app.store.windows.was_sent_as(&stored, (&item).into(), item.hash).await? {
            return Ok(Outcome::Conflict);
        }
        facts.push(stored.fact());
        let window: &Window = &stored.window;
        return Ok(Outcome::Duplicate(to_raw_value(window)?));
    }
    app.store.quarantine.hold(&Held::new(item, code, waiting, app.clock.now())).await?;
    Ok(match waiting {
        true => Outcome::Queued,
        false => Outcome::Rejected { code, detail: refusal(code).to_owned() },
    })
}

/// Tells that windows are recorded. Awaited before anybody is answered: the message that brought
/// the windows is the outbox.
async fn publish(app: &App, facts: Vec<WindowFact>) -> Result<(), Error> {
    for windows in facts.chunks(WINDOWS_AN_EVENT) {
        let id: contracts::EventId = kit::new_id();
        let event = WindowsRecorded { batch: id.to_string(), windows: windows.to_vec() };
        app.bus.publish_event(id, &event).await?;
    }
    Ok(())
}
