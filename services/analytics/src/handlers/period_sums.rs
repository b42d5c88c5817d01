use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use contracts::{EmployeeId, EmployeeSums, Failure, GetPeriodSums, PERIODS_MOST, Page, PeriodSum, TimeRange};
use futures::stream;
use kit::{Call, Error};

use crate::{
    App,
    domain::{DayPieces, UtcMonth},
    store::Sums,
};

/// The sums of each employee's time in each of the requested ranges, page by page. Only admins may
/// request all employees (an empty list). Other callers must list employees whose data they may
/// see.
pub(crate) async fn period_sums(
    app: Arc<App>,
    call: Call,
    asked: GetPeriodSums,
) -> Result<Page<EmployeeSums, EmployeeId>, Error> {
    let GetPeriodSums { ranges, employees, after } = asked;
    match employees.as_slice() {
        [] => call.require_admin()?,
        named => named.iter().try_for_each(|employee| call.require_sight_of(*employee))?,
    }
    if ranges.len() > PERIODS_MOST {
        return Err(Failure::field("ranges", format!("must be at most {PERIODS_MOST}")).into());
    }
    let read = async || match employees.is_empty() {
        true => of_everybody(&app, ranges.clone()).await,
        false => computed(&app, &ranges, &employees).await.map(Arc::new),
    };
    let all = app.progress.caught_up(read).await?;
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let shown = all
        .range((start, Bound::Unbounded))
        .map(|(employee, sums)| Ok::<_, Error>(EmployeeSums { employee: *employee, sums: sums.clone() }));
    kit::page_within(stream::iter(shown), |sums| sums.employee).await
}

/// The sums of all employees. They come from the cache if no month of the ranges has changed since
/// an earlier request for the same ranges.
async fn of_everybody(app: &App, ranges: Vec<TimeRange>) -> Result<Arc<Sums>, Error> {
    let months: BTreeSet<UtcMonth> = ranges.iter().flat_map(|range| DayPieces::of(*range).months()).collect();
    let states = app.store.company.states(months).await?;
    if let Some(known) = app.known_sums.get(&ranges, &states) {
        return Ok(known);
    }
    let sums = Arc::new(computed(app, &ranges, &[]).await?);
    app.known_sums.keep(ranges, states, sums.clone());
    Ok(sums)
}

async fn computed(app: &App, ranges: &[TimeRange], employees: &[EmployeeId]) -> Result<Sums, Error> {
    let ranges: Vec<DayPieces> = ranges.iter().copied().map(DayPieces::of).collect();
    let all = app.store.employees.period_sums(&ranges, employees).await?;
    Ok(all.into_iter().map(|(id, sums)| (id, sums.into_iter().map(PeriodSum::from).collect())).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bson::{Document, doc};
    use contracts::{CountedSum, DAY, Millis, Service, TimeRange, WindowFact, WindowsRecorded};
    use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
    use testkit::Harness;

    use super::*;
    use crate::{
        Config,
        domain::{
            latest,
            tests::history::{arrivals, moment},
        },
    };

    /// The sums of the same windows, computed by the rule of timetrack.
    fn by_timetrack(
        arrivals: &[WindowFact],
        ranges: &[TimeRange],
        count_overlaps: bool,
    ) -> BTreeMap<EmployeeId, Vec<PeriodSum>> {
        let mut of_employees: BTreeMap<EmployeeId, Vec<WindowFact>> = BTreeMap::new();
        for fact in latest(arrivals.iter().cloned()).into_values() {
            of_employees.entry(fact.employee_id).or_default().push(fact);
        }
        let mut all = BTreeMap::new();
        for (employee, facts) in of_employees {
            let sum = |range: &TimeRange| CountedSum::of(facts.iter().cloned(), *range, count_overlaps);
            let sums: Vec<CountedSum> = ranges.iter().map(sum).collect();
            if sums.iter().any(|sum| *sum != CountedSum::default()) {
                all.insert(employee, sums.into_iter().map(PeriodSum::from).collect());
            }
        }
        all
    }

    async fn ask(harness: &Harness, ranges: &[TimeRange]) -> BTreeMap<EmployeeId, Vec<PeriodSum>> {
        let asked = GetPeriodSums { ranges: ranges.to_vec(), employees: Vec::new(), after: None };
        let page = harness.ask(&asked).await.unwrap();
        for EmployeeSums { employee, sums } in &page.items {
            let asked = GetPeriodSums { employees: vec![*employee], ..asked.clone() };
            assert_eq!(&harness.ask(&asked).await.unwrap().items[0].sums, sums);
        }
        page.items.into_iter().map(|one| (one.employee, one.sums)).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_sums_and_the_hash_of_a_period_are_those_that_timetrack_computes_of_the_same_windows() {
        for count_overlaps in [false, true] {
            let harness = Harness::start().await;
            let run = |deps, shutdown| crate::run(Config { count_overlaps }, deps, shutdown);
            let _analytics = harness.spawn(crate::needs(), run).await;
            let database = harness.database(Service::Analytics).await;
            let mut runner = TestRunner::deterministic();
            for history in 0..12 {
                for name in ["facts", "employee_months", "company_months"] {
                    database.collection::<Document>(name).delete_many(doc! {}).await.unwrap();
                }
                let arrivals = arrivals().new_tree(&mut runner).unwrap().current();
                let first = arrivals.iter().map(|fact| fact.start.utc_day()).min().unwrap_or(20_000) * DAY;
                let whole = [TimeRange::new(Millis(first - 7), Millis(first + 40 * DAY + 7)).unwrap()];
                for (n, windows) in arrivals.chunks(3).enumerate() {
                    let event = WindowsRecorded { batch: format!("{history}-{n}"), windows: windows.to_vec() };
                    if n % 2 == 0 {
                        harness.publish_twice(&event).await;
                    } else {
                        harness.publish(&event).await;
                    }
                    // The same request follows each event, so a cached sum would be wrong if it
                    // were returned after a change.
                    let so_far = &arrivals[..arrivals.len().min((n + 1) * 3)];
                    assert_eq!(ask(&harness, &whole).await, by_timetrack(so_far, &whole, count_overlaps));
                }
                for _ in 0..15 {
                    let mut edges: Vec<i64> =
                        (0..4).map(|_| moment().new_tree(&mut runner).unwrap().current()).collect();
                    edges.sort_unstable();
                    edges.dedup();
                    let range =
                        |pair: &[i64]| TimeRange::new(Millis(first + pair[0]), Millis(first + pair[1])).unwrap();
                    let ranges: Vec<TimeRange> = edges.windows(2).map(range).collect();
                    assert_eq!(ask(&harness, &ranges).await, by_timetrack(&arrivals, &ranges, count_overlaps));
                }
                // Removes the hashes, as in a document that an earlier version has stored.
                let unmarked = doc! { "$unset": { "marks": 1 } };
                database.collection::<Document>("employee_months").update_many(doc! {}, unmarked).await.unwrap();
                let later = [TimeRange::new(Millis(first - 8), Millis(first + 40 * DAY + 8)).unwrap()];
                assert_eq!(ask(&harness, &later).await, by_timetrack(&arrivals, &later, count_overlaps));
            }
            harness.finish().await;
        }
    }
}
