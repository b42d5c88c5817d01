use std::{collections::BTreeSet, time::Duration};

use contracts::{Code, Failure, WindowFact};
use futures::{StreamExt, TryStreamExt, stream};
use kit::Error;

use crate::{
    App,
    domain::{EmployeeDay, cells, parts, runs},
};

/// How many days are recomputed together.
const DAYS_AT_ONCE: usize = 128;
/// How many such groups, and how many questions of one, are under way at once.
const AT_ONCE: usize = 4;
/// How often days are tried again that somebody else was faster with.
const TRIES: u32 = 50;
/// How long it waits before that.
const PAUSE: Duration = Duration::from_millis(5);

/// Recomputes these days from all facts that are stored now.
pub(super) async fn recount(app: &App, days: BTreeSet<EmployeeDay>) -> Result<(), Error> {
    let days: Vec<EmployeeDay> = days.into_iter().collect();
    let groups: Vec<BTreeSet<EmployeeDay>> =
        days.chunks(DAYS_AT_ONCE).map(|days| days.iter().copied().collect()).collect();
    stream::iter(groups.into_iter().map(|days| recount_group(app, days))).buffer_unordered(AT_ONCE).try_collect().await
}

/// Compares and sets: looks at the state of the days, then at the facts, and stores a day if it is
/// still in that state. So whoever stores later has also looked at the facts later, and nobody
/// overwrites newer sums with older ones. Each day is stored even if it comes out the same, for
/// the sake of those who are about to store an older one. Where somebody was faster, it looks anew.
async fn recount_group(app: &App, mut days: BTreeSet<EmployeeDay>) -> Result<(), Error> {
    for _ in 0..TRIES {
        let seen = app.store.days.versions(&days).await?;
        let parts = parts(facts_of(app, &days).await?, app.overlaps);
        days = app.store.days.replace(cells(&days, &parts), &seen).await?;
        if days.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Failure::new(Code::Unavailable, "Too many changes of the same days at once.").into())
}

/// All facts that reach into these days. None comes twice: between two runs of an employee lies a
/// whole day, which no window reaches across.
async fn facts_of(app: &App, days: &BTreeSet<EmployeeDay>) -> Result<Vec<WindowFact>, Error> {
    let loads = runs(days).into_iter().map(async |run| app.store.facts.reaching_into(run.range, &run.employees).await);
    let loaded: Vec<Vec<WindowFact>> = stream::iter(loads).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(loaded.into_iter().flatten().collect())
}
