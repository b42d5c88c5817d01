use std::{sync::Arc, time::Duration};

use kit::{Error, Shutdown};

use super::settled::settled_now;
use crate::{
    App,
    domain::{Held, Worked},
};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(5);
/// The most windows that are looked at each time; then it is the turn of the next.
const MOST: usize = 200;

/// Has windows tried again, until shutdown, that were set aside because of settled time and whose time is open.
///
/// Whoever opens it lets them in at once. But they may die before; and a batch that was in hand may hold a window
/// after that.
pub(crate) fn let_in_what_is_open(app: Arc<App>, shutdown: &Shutdown) {
    let stop = shutdown.clone();
    shutdown.spawn(async move {
        let mut after = String::new();
        while !stop.is_stopping() {
            match let_in(&app, &after).await {
                Ok(last) => after = last,
                Err(error) => tracing::warn!(%error, "windows whose time is open again wait"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.stopping() => {}
            }
        }
    });
}

/// Looks at the next ones after a key; gives the last key, or none where it begins anew.
async fn let_in(app: &App, after: &str) -> Result<String, Error> {
    let held = app.store.quarantine.set_aside(after, MOST as i64).await?;
    let by = settled_now(app, held.iter().map(|held| Worked::of_item(&held.item)).collect()).await?;
    let open: Vec<&Held> = held.iter().zip(by).filter(|(_, by)| by.is_none()).map(|(held, _)| held).collect();
    if !open.is_empty() {
        tracing::info!(windows = open.len(), "time is open again for windows that nobody has let in");
        app.store.quarantine.try_again(&open).await?;
    }
    let last = held.last().filter(|_| held.len() == MOST);
    Ok(last.map_or_else(String::new, |last| last.key().to_owned()))
}
