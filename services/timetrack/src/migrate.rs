use std::time::Duration;

use anyhow::ensure;
use kit::{Deps, Migrating};
use tokio::time::{Instant, sleep};

use crate::store::Store;

/// How long every running process may take until it writes the newest layout: it looks every 5 seconds.
const HEARD: Duration = Duration::from_secs(60);
/// The pause between two looks whether all do.
const PAUSE: Duration = Duration::from_millis(200);

/// Has everything written in the newest layouts from now on, and rewrites what is there, working so many of
/// 100 parts of the time; tells how far it is after every batch.
///
/// # Errors
/// While a process of an earlier version runs, and when MongoDB is away: run it again, and it goes on.
pub async fn migrate(deps: &Deps, busy: u8, tell: impl Fn(Migrating)) -> anyhow::Result<()> {
    let store = Store::open(&deps.database());
    ensure!(
        !store.workers.any_reads_older().await?,
        "a timetrack of an earlier version still runs, which could not read what is written then: finish the update \
         first (one that was killed counts for ten seconds more)"
    );
    store.layouts.raise().await?;
    let since = Instant::now();
    while store.workers.any_writes_older().await? {
        ensure!(
            since.elapsed() < HEARD,
            "a timetrack still writes as earlier versions read it: restart what does not answer, and run this again"
        );
        sleep(PAUSE).await;
    }
    Ok(store.layouts.migrate(busy, tell).await?)
}
