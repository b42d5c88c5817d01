use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contracts::{Code, Failure};
use futures::{StreamExt, TryStreamExt, stream};
use kit::Error;

use crate::{
    App,
    domain::{Cells, EmployeeDay, EmployeeMonth, Part, Place, Touched, UtcMonth, anew, cells, latest, parts},
    store::{CellsByDay, Fresh, SeenMonths, all_together},
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
///
/// `seen` is what [`seen`] has returned for the same times, if the caller has read it already.
pub(crate) async fn recount(app: &App, touched: Touched, seen: Option<SeenMonths>) -> Result<(), Error> {
    let recounted = async {
        // Without this lock, another recomputation in this process (a repair) could store newer sums
        // of the same employee and keep them, and `fresh` would replace them with older ones.
        let _only_one = app.recounting.lock().await;
        let fresh = recount_employees(app, &touched, seen).await?;
        recount_company(app, touched.days(), &fresh).await
    };
    // After an error, some sums of employees are stored and those of all employees are not.
    recounted.await.inspect_err(|_| app.known_cells.forget())
}

/// The state of the documents of single employees that a recomputation of these times changes. It
/// must be read before the facts.
pub(crate) async fn seen(app: &App, touched: &Touched) -> Result<SeenMonths, Error> {
    let partly: BTreeSet<i64> = touched.days_touched_partly().map(|day| day.day).collect();
    app.store.employees.seen(touched.months().into_keys(), &partly).await
}

/// Recomputes the touched times in the documents of single employees, of which each has one month.
/// Returns the new sums of the touched days.
pub(crate) async fn recount_employees(
    app: &App,
    touched: &Touched,
    seen: Option<SeenMonths>,
) -> Result<BTreeMap<EmployeeDay, Cells>, Error> {
    let months: Vec<_> = touched.months().into_iter().collect();
    let groups: Vec<BTreeMap<_, _>> =
        months.chunks(MONTHS_AT_ONCE).map(|group| group.iter().cloned().collect()).collect();
    let groups = groups.into_iter().map(|group| recount_group(app, group, seen.as_ref()));
    let fresh: Vec<_> = stream::iter(groups).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(fresh.into_iter().flatten().collect())
}

/// Recomputes the touched times of these months with compare-and-set. It reads the versions of the
/// months first, then the facts, and stores the touched days of a month only if the month's version
/// is still the same. So a writer that stores later has also read the facts later, and newer sums
/// are never replaced by older ones. A day is stored even if it is unchanged, because that
/// increases the month's version: a concurrent writer with older facts then cannot store its
/// result. A month whose version has changed is recomputed again.
async fn recount_group(
    app: &App,
    mut months: BTreeMap<EmployeeMonth, Touched>,
    mut seen_before: Option<&SeenMonths>,
) -> Result<BTreeMap<EmployeeDay, Cells>, Error> {
    let mut all = BTreeMap::new();
    for _ in 0..TRIES {
        let touched = Touched::by(months.values().flat_map(Touched::places));
        let seen = match seen_before.take() {
            Some(seen) => Cow::Borrowed(seen),
            None => Cow::Owned(seen(app, &touched).await?),
        };
        let parts = counting(app, &touched).await?;
        let mut before = BTreeMap::new();
        for day in touched.days_touched_partly() {
            let stretches = seen.get(&day.month()).map(|seen| seen.stretches(day.day)).transpose()?;
            before.insert(day, stretches.unwrap_or_default());
        }
        let mut fresh: BTreeMap<EmployeeMonth, BTreeMap<i64, Fresh>> = BTreeMap::new();
        for (day, stretches) in anew(&touched, before, &parts) {
            all.insert(day, cells(&stretches));
            fresh.entry(day.month()).or_default().insert(day.day, Fresh::Stretches(stretches));
        }
        let lost = app.store.employees.store(fresh, &seen).await?;
        months.retain(|month, _| lost.contains(month));
        if months.is_empty() {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(too_many())
}

/// Recomputes the sums of all employees together on these days, from the sums of single employees
/// on the same days. Uses compare-and-set, as `recount_group` does. `fresh` has the sums of single
/// employees that this process has stored since it stored the same month the last time.
pub(crate) async fn recount_company(
    app: &App,
    mut months: BTreeMap<UtcMonth, BTreeSet<i64>>,
    fresh: &BTreeMap<EmployeeDay, Cells>,
) -> Result<(), Error> {
    for _ in 0..TRIES {
        let seen = app.store.company.seen(months.keys().copied()).await?;
        let all = months.clone().into_iter().map(async |(month, days)| {
            let mut known = app.known_cells.take(month, &seen[&month], &days, fresh)?;
            let missing = days.iter().filter(|day| !known.contains_key(day)).copied().collect();
            known.extend(app.store.employees.of_days(month, &missing).await?);
            Ok::<_, Error>((month, known))
        });
        let all: Vec<(UtcMonth, CellsByDay)> = stream::iter(all).buffer_unordered(AT_ONCE).try_collect().await?;
        let sums = all.iter().map(|(month, known)| (*month, all_together(known, &months[month])));
        let lost = app.store.company.store(sums.collect(), &seen).await?;
        for (month, known) in all.into_iter().filter(|(month, _)| !lost.contains(month)) {
            app.known_cells.keep(month, seen[&month].version + 1, known, &months[&month]);
        }
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

#[cfg(test)]
mod tests {
    use contracts::Service;
    use futures::future::{try_join, try_join_all};
    use proptest::{
        strategy::{Strategy, ValueTree},
        test_runner::TestRunner,
    };
    use testkit::Harness;

    use super::*;
    use crate::{
        Config,
        consumers::windows::count,
        domain::{
            Question,
            tests::{
                brute::brute,
                history::{arrivals, placed, question},
            },
        },
        engine,
    };

    /// Checks that the sums of all employees on these days are those of each employee added up.
    async fn assert_added_up(app: &App, days: BTreeMap<UtcMonth, BTreeSet<i64>>) {
        let seen = app.store.company.seen(days.keys().copied()).await.unwrap();
        for (month, days) in days {
            let each = app.store.employees.of_days(month, &days).await.unwrap();
            for (day, cells) in all_together(&each, &days) {
                assert_eq!(seen[&month].cells(day).unwrap(), cells, "day {day}");
            }
        }
    }

    /// The time of each row, in milliseconds.
    async fn times(app: &App, question: &Question) -> Vec<i64> {
        engine::answer(app, question).await.unwrap().items.into_iter().map(|row| row.time).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whichever_processes_count_in_whichever_order_all_together_is_what_brute_force_says() {
        let harness = Harness::start().await;
        harness.provision(&crate::needs()).await;
        let mut apps = Vec::new();
        for _ in 0..2 {
            apps.push(App::open(&Config::default(), &harness.deps(Service::Analytics).await));
        }
        let mut runner = TestRunner::deterministic();
        let mut all = Vec::new();
        for round in 0..30_u64 {
            // Later windows have other ids, so the earlier ones stay.
            let later = arrivals().new_tree(&mut runner).unwrap().current().into_iter().map(|fact| {
                let id = uuid::Uuid::from_u128(fact.id.0.as_u128() + u128::from(round) * 100);
                contracts::WindowFact { id: id.into(), ..fact }
            });
            let later: Vec<_> = later.collect();
            let thirds: Vec<Vec<_>> = later.chunks(later.len().div_ceil(3).max(1)).map(<[_]>::to_vec).collect();
            let [first, second] = &apps[..] else { unreachable!() };
            for (n, windows) in thirds.into_iter().enumerate() {
                // One process counts several times and keeps what it has counted; both count in
                // turn; one counts each window by itself, all at the
                // same time; both count the same at the same time.
                match (round % 4, n) {
                    (0, _) | (1, 0 | 2) => count(first, windows).await.unwrap(),
                    (1, _) => count(second, windows).await.unwrap(),
                    (2, _) => {
                        try_join_all(windows.into_iter().map(|window| count(first, vec![window]))).await.unwrap();
                    }
                    _ => drop(try_join(count(first, windows.clone()), count(second, windows)).await.unwrap()),
                }
            }
            all.extend(later);
            assert_added_up(first, Touched::by(all.iter().map(Place::of)).days()).await;
            let question = placed(question().new_tree(&mut runner).unwrap().current(), &all);
            let expected: Vec<i64> = brute(&all, &question, first.overlaps).into_values().map(|sum| sum.time).collect();
            assert_eq!(times(first, &question).await, expected, "round {round}: {question:?}");
        }
        harness.finish().await;
    }
}
