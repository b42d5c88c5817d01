use std::time::Duration;

use anyhow::ensure;
use kit::{Deps, Migrating};
use tokio::time::{Instant, sleep};

use crate::store::Store;

/// The time limit until every running process writes the newest layout. Each process checks every
/// five seconds which layout to write.
const HEARD: Duration = Duration::from_secs(60);
/// The pause between two checks of the processes.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes all processes write the newest layouts, and rewrites the stored documents. The rewriting
/// takes `busy` percent of the time, and calls `tell` after every batch.
///
/// # Errors
/// When a process runs that cannot read the newest layout of windows, when a process still writes
/// an earlier layout after a minute, or when MongoDB cannot be reached. The next call continues.
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
