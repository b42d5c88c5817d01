use std::{sync::Arc, time::Duration};

use kit::{Error, Shutdown};
use tracing::{Instrument, field::Empty, info_span};

use super::recorder::record_all;
use crate::{App, domain::Quarantined};

/// How often quarantined windows that wait are tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// The most windows that are tried together.
const MOST: usize = 200;

/// Until shutdown, tries two kinds of quarantined windows again. Waiting windows are tried every
/// time: for example those that were checked while events about their bindings were missing.
/// Windows whose end was in the future when they were checked are tried at the moment that their
/// field `due` names. Several replicas may do this at the same time.
pub(crate) fn retry_early(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            if let Err(error) = retry_due(&app, &stop).await {
                tracing::warn!(%error, "windows whose time has come wait");
            }
            if let Err(error) = retry_waiting(&app, &stop).await {
                tracing::warn!(%error, "early windows wait");
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// Tries the windows whose moment `due` has come. Each of them is then recorded, or quarantined for
/// another reason and without `due`, so no window is tried twice.
async fn retry_due(app: &App, stop: &Shutdown) -> Result<(), Error> {
    while !stop.is_stopping() {
        let due = app.store.quarantine.due(app.clock.now(), MOST as i64).await?;
        let is_last = due.len() < MOST;
        if !retry(app, due).await? || is_last {
            break;
        }
    }
    Ok(())
}

/// Tries each waiting window once.
async fn retry_waiting(app: &App, stop: &Shutdown) -> Result<(), Error> {
    let mut after = None;
    while !stop.is_stopping() {
        let waiting = app.store.quarantine.waiting(after.as_ref(), MOST as i64).await?;
        let Some(last) = waiting.last().cloned() else { break };
        retry(app, waiting).await?;
        after = Some(last);
    }
    Ok(())
}

/// Tries these windows together, or one by one if that fails. Returns whether every window could be
/// tried.
async fn retry(app: &App, quarantined: Vec<Quarantined>) -> Result<bool, Error> {
    match record(app, &quarantined).await {
        Err(error) if error.is_away() => Err(error),
        Err(_) => retry_each(app, quarantined).await,
        Ok(()) => Ok(true),
    }
}

/// Tries windows one by one, so that a window that causes an error does not stop the others.
/// Returns whether every window could be tried.
async fn retry_each(app: &App, quarantined: Vec<Quarantined>) -> Result<bool, Error> {
    let mut is_tried = true;
    for one in quarantined {
        match record(app, std::slice::from_ref(&one)).await {
            Err(error) if error.is_away() => return Err(error),
            Err(error) => {
                tracing::error!(%error, window = %one.window_id, "a held window cannot be tried again");
                is_tried = false;
            }
            Ok(()) => {}
        }
    }
    Ok(is_tried)
}

async fn record(app: &App, quarantined: &[Quarantined]) -> Result<(), Error> {
    if quarantined.is_empty() {
        return Ok(());
    }
    let span = info_span!("record", windows = quarantined.len(), trace_id = Empty);
    kit::follow(&span, quarantined.iter().filter_map(|quarantined| quarantined.item.traceparent.as_deref()));
    // A window that is recorded now is removed from quarantine. A window that is refused now gets
    // its new reason. All others stay as they are.
    record_all(app, quarantined.iter().map(|quarantined| quarantined.item.clone().into()).collect())
        .instrument(span)
        .await?;
    Ok(())
}
