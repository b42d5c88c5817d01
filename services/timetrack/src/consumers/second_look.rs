use std::{sync::Arc, time::Duration};

use contracts::Code;
use kit::{Error, Shutdown};

use super::settled::settled_now;
use crate::{
    App,
    domain::{Quarantined, Worked},
    store::StoredWindow,
};

/// The pause between two searches.
const LOOK: Duration = Duration::from_secs(5);
/// The most windows of one search. The next search continues after them.
const MOST: usize = 1_000;

/// Until shutdown, searches quarantined windows that wait for an admin although they need none:
/// their settled time is open again, or they are recorded. These windows are tried again.
///
/// A handler that opens settled time has the windows in that time tried again at once, and a worker
/// that records a window removes it from quarantine. But a process may crash before that; and a
/// worker that was suspended may quarantine a window afterwards.
pub(crate) fn take_second_looks(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        let mut after = String::new();
        while !stop.is_stopping() {
            match look_again(&app, &after).await {
                Ok(last) => after = last,
                Err(error) => tracing::warn!(%error, "quarantined windows are not looked at again now"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// Reads the next quarantined windows after a key, and marks those that need no admin to be tried
/// again. Returns the last key; an empty one if the next search must start from the beginning.
async fn look_again(app: &App, after: &str) -> Result<String, Error> {
    let quarantined = app.store.quarantine.for_admins(after, MOST as i64).await?;
    // A recorded window is tried again, and not only removed: the process that recorded it may have
    // crashed before it published the window.
    let recorded = recorded_by_now(app, quarantined.iter()).await?;
    let mut in_vain: Vec<&Quarantined> =
        quarantined.iter().zip(recorded).filter_map(|(quarantined, stored)| stored.map(|_| quarantined)).collect();

    let locked: Vec<&Quarantined> =
        quarantined.iter().filter(|quarantined| quarantined.code == Code::PeriodLocked).collect();
    let by = settled_now(app, locked.iter().map(|quarantined| Worked::of_item(&quarantined.item)).collect()).await?;
    in_vain.extend(locked.into_iter().zip(by).filter(|(_, by)| by.is_none()).map(|(quarantined, _)| quarantined));
    if !in_vain.is_empty() {
        tracing::info!(windows = in_vain.len(), "these windows need no admin, and are tried again");
        app.store.quarantine.try_again(&in_vain).await?;
    }
    let last = quarantined.last().filter(|_| quarantined.len() == MOST);
    Ok(last.map_or_else(String::new, |last| last.key().to_owned()))
}

/// For each of these quarantined windows, the recorded window with the same id and content; none if
/// there is none.
pub(super) async fn recorded_by_now<'a>(
    app: &App,
    quarantined: impl Iterator<Item = &'a Quarantined> + Clone,
) -> Result<Vec<Option<StoredWindow>>, Error> {
    let stored = app.store.windows.under(quarantined.clone().map(|quarantined| quarantined.window_id)).await?;
    let mut recorded = Vec::new();
    for quarantined in quarantined {
        let item = &quarantined.item;
        recorded.push(match stored.get(&quarantined.window_id) {
            Some(stored) if app.store.windows.was_sent_as(stored, item.into(), item.hash).await? => {
                Some(stored.clone())
            }
            _ => None,
        });
    }
    Ok(recorded)
}
