use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contracts::{Code, Failure, WindowFact};
use futures::{StreamExt, TryStreamExt, stream};
use kit::Error;

use crate::{
    App,
    domain::{EmployeeDay, EmployeeMonth, UtcMonth, parts, runs, stretches},
    store::Fresh,
};

/// How many months of employees are recomputed together.
const MONTHS_AT_ONCE: usize = 64;
/// How many such groups, and how many questions of one, are under way at once.
const AT_ONCE: usize = 4;
/// How often months are tried again that somebody else was faster with.
const TRIES: u32 = 50;
/// How long it waits before that.
const PAUSE: Duration = Duration::from_millis(5);

/// Recomputes these days from all facts that are stored now: the employees', then everybody's.
pub(crate) async fn recount(app: &App, days: BTreeSet<EmployeeDay>) -> Result<(), Error> {
    let mut together: BTreeMap<UtcMonth, BTreeSet<i64>> = BTreeMap::new();
    for EmployeeDay { day, .. } in &days {
        together.entry(UtcMonth::of_day(*day)).or_default().insert(*day);
    }
    recount_employees(app, days).await?;
    recount_company(app, together).await
}

/// Recomputes the employees' part of it.
pub(crate) async fn recount_employees(app: &App, days: BTreeSet<EmployeeDay>) -> Result<(), Error> {
    let mut months: BTreeMap<EmployeeMonth, BTreeSet<EmployeeDay>> = BTreeMap::new();
    for day in days {
        months.entry(day.month()).or_default().insert(day);
    }
    let months: Vec<_> = months.into_iter().collect();
    let groups: Vec<BTreeMap<_, _>> =
        months.chunks(MONTHS_AT_ONCE).map(|group| group.iter().cloned().collect()).collect();
    stream::iter(groups.into_iter().map(|group| recount_group(app, group)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Compares and sets: looks at the state of the months, then at the facts, and stores the days of a
/// month if it is still in that state. So whoever stores later has also looked at the facts later,
/// and nobody overwrites newer sums with older ones. Each day is stored even if it comes out the
/// same, for the sake of those who are about to store an older one. Where somebody was faster, it
/// looks anew.
async fn recount_group(app: &App, mut months: BTreeMap<EmployeeMonth, BTreeSet<EmployeeDay>>) -> Result<(), Error> {
    for _ in 0..TRIES {
        let seen = app.store.employees.seen(months.keys().copied()).await?;
        let days: BTreeSet<EmployeeDay> = months.values().flatten().copied().collect();
        let parts = parts(facts_of(app, &days).await?, app.overlaps);
        let mut fresh: BTreeMap<EmployeeMonth, BTreeMap<i64, Fresh>> = BTreeMap::new();
        for (day, stretches) in stretches(&days, &parts) {
            fresh.entry(day.month()).or_default().insert(day.day, Fresh::Stretches(stretches));
        }
        let lost = app.store.employees.store(fresh, &seen).await?;
        months.retain(|month, _| lost.contains(month));
        if months.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(too_many())
}

/// Recomputes these days of everybody together from the employees' days, by the same rule.
pub(crate) async fn recount_company(app: &App, mut months: BTreeMap<UtcMonth, BTreeSet<i64>>) -> Result<(), Error> {
    for _ in 0..TRIES {
        let seen = app.store.company.seen(months.keys().copied()).await?;
        let sums = months
            .clone()
            .into_iter()
            .map(async |(month, days)| Ok::<_, Error>((month, app.store.employees.all_together(month, &days).await?)));
        let sums = stream::iter(sums).buffer_unordered(AT_ONCE).try_collect().await?;
        let lost = app.store.company.store(sums, &seen).await?;
        months.retain(|month, _| lost.contains(month));
        if months.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(too_many())
}

fn too_many() -> Error {
    Failure::new(Code::Unavailable, "Too many changes of the same days at once.").into()
}

/// All facts that reach into these days. None comes twice: between two runs of an employee lies a
/// whole day, which no window reaches across.
pub(crate) async fn facts_of(app: &App, days: &BTreeSet<EmployeeDay>) -> Result<Vec<WindowFact>, Error> {
    let loads = runs(days).into_iter().map(async |run| app.store.facts.reaching_into(run.range, &run.employees).await);
    let loaded: Vec<Vec<WindowFact>> = stream::iter(loads).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(loaded.into_iter().flatten().collect())
}
