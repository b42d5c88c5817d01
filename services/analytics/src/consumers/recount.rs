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

/// The most months of single employees (one document each) that are recomputed together.
const MONTHS_AT_ONCE: usize = 64;
/// How many groups of [`MONTHS_AT_ONCE`] months, or how many months of all employees together, are
/// recomputed at the same time.
const AT_ONCE: usize = 4;
/// How often months are recomputed at most when other writers change them at the same time.
const TRIES: u32 = 50;
/// The pause between two of these attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// Recomputes the sums of the touched times from the stored facts: first in the documents of single
/// employees, then in those of all employees together.
pub(crate) async fn recount(app: &App, touched: Touched) -> Result<(), Error> {
    recount_employees(app, &touched).await?;
    recount_company(app, touched.days()).await
}

/// Recomputes the touched times in the documents of single employees, of which each has one month.
pub(crate) async fn recount_employees(app: &App, touched: &Touched) -> Result<(), Error> {
    let months: Vec<_> = touched.months().into_iter().collect();
    let groups: Vec<BTreeMap<_, _>> =
        months.chunks(MONTHS_AT_ONCE).map(|group| group.iter().cloned().collect()).collect();
    stream::iter(groups.into_iter().map(|group| recount_group(app, group)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Recomputes the touched times of these months with compare-and-set. It reads the versions of the
/// months first, then the facts, and stores the touched days of a month only if the month's version
/// is still the same. So a writer that stores later has also read the facts later, and newer sums
/// are never replaced by older ones. A day is stored even if it is unchanged, because that
/// increases the month's version: a concurrent writer with older facts then cannot store its
/// result. A month whose version has changed is recomputed again.
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

/// Recomputes the sums of all employees together on these days, from the sums of single employees
/// on the same days. Uses compare-and-set, as `recount_group` does.
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

/// The counting parts of all windows that reach into the touched times. Outside these times, the
/// parts may be wrong.
pub(crate) async fn counting(app: &App, touched: &Touched) -> Result<Vec<Part>, Error> {
    let places: Vec<Place> = touched.places().collect();
    let facts = app.store.facts.reaching_into(places).await?;
    Ok(parts(latest(facts).into_values(), app.overlaps))
}
