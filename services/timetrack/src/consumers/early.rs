use std::{sync::Arc, time::Duration};

use kit::{Error, Shutdown};
use tracing::{Instrument, field::Empty, info_span};

use super::recorder::record_all;
use crate::App;

/// How often early windows are tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// The most windows that are tried at once.
const MOST: i64 = 200;

/// Tries early windows again from quarantine, until shutdown. Several replicas may do so at once.
pub(crate) fn retry_early(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        while !stop.is_stopping() {
            if let Err(error) = retry_once(&app).await {
                tracing::warn!(%error, "early windows wait");
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

async fn retry_once(app: &App) -> Result<(), Error> {
    let waiting = app.store.quarantine.waiting(MOST).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let span = info_span!("record", windows = waiting.len(), trace_id = Empty);
    kit::follow(&span, waiting.iter().filter_map(|held| held.item.traceparent.as_deref()));
    // Recording lets go of what it records, and rejects what it can judge; the rest waits on.
    record_all(app, waiting.into_iter().map(|held| held.item).collect()).instrument(span).await?;
    Ok(())
}
