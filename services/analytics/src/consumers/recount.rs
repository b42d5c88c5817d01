use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contracts::{Code, Failure};
use futures::{StreamExt, TryStreamExt, stream};
use kit::Error;

use crate::{
    App,
    domain::{EmployeeDay, EmployeeMonth, Part, Place, Touched, UtcMonth, anew, latest, parts},
    store::Fresh,
};

/// How many months of employees are recomputed together.
const MONTHS_AT_ONCE: usize = 64;
/// How many groups of such months, and how many months of the company, are recomputed at the same time.
const AT_ONCE: usize = 4;
/// How often months are tried again after a concurrent change.
const TRIES: u32 = 50;
/// The pause before each of these attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// Recomputes what was touched from all stored facts: first the employees' months, then the company's.
pub(crate) async fn recount(app: &App, touched: Touched) -> Result<(), Error> {
    recount_employees(app, &touched).await?;
    recount_company(app, touched.days()).await
}

/// Recomputes the employees' months.
pub(crate) async fn recount_employees(app: &App, touched: &Touched) -> Result<(), Error> {
    let months: Vec<_> = touched.months().into_iter().collect();
    let groups: Vec<BTreeMap<_, _>> =
        months.chunks(MONTHS_AT_ONCE).map(|group| group.iter().cloned().collect()).collect();
    stream::iter(groups.into_iter().map(|group| recount_group(app, group)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Recomputes with compare-and-set: reads the versions of the months, then the facts, and stores the days of a
/// month if its version is still the same. So whoever stores later has also read the facts later, and newer sums
/// are never replaced by older ones. A day is stored even if it is unchanged, so that a concurrent older one is
/// refused. After a concurrent change it reads again.
async fn recount_group(app: &App, mut months: BTreeMap<EmployeeMonth, Touched>) -> Result<(), Error> {
    for _ in 0..TRIES {
        let touched = Touched::by(months.values().flat_map(Touched::places));
        let partly: BTreeSet<EmployeeDay> = touched.days_touched_partly().collect();
        let seen =
            app.store.employees.seen(months.keys().copied(), &partly.iter().map(|day| day.day).collect()).await?;
        let parts = counting(app, &touched).await?;
        let mut before = BTreeMap::new();
        for day in partly {
            let stretches = seen.get(&day.month()).map(|seen| seen.stretches(day.day)).transpose()?;
            before.insert(day, stretches.unwrap_or_default());
        }
        let mut fresh: BTreeMap<EmployeeMonth, BTreeMap<i64, Fresh>> = BTreeMap::new();
        for (day, stretches) in anew(&touched, before, &parts) {
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

/// Recomputes these days of the company from the employees' days, with compare-and-set too.
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

/// The parts that count in this time.
pub(crate) async fn counting(app: &App, touched: &Touched) -> Result<Vec<Part>, Error> {
    let places: Vec<Place> = touched.places().collect();
    let facts = app.store.facts.reaching_into(places).await?;
    Ok(parts(latest(facts).into_values(), app.overlaps))
}
