//! Computes reports step by step. Each step reads the stored documents of months; or facts, if the
//! report filters by shift.

use std::collections::BTreeSet;

use contracts::{DAY, Page, TimeCursor, TimeRange, TimeRow};
use futures::{
    StreamExt, TryStreamExt,
    future::{OptionFuture, join},
    stream::{self, BoxStream},
};
use kit::Error;

use crate::{
    App,
    consumers::counting,
    domain::{Bucket, Question, Sheet, Source, Step, Tally, Touched, UtcMonth, stretches},
};

/// The most rows of a page. A row has at most 320 bytes, and a reply at most a million bytes.
const MOST_ROWS: usize = 3_000;
/// The longest range, in milliseconds, that is read without first finding out which months have
/// data: ten years.
const LONG: i64 = 3_653 * DAY;
/// The number of steps that are read at the same time. Most reports have three steps or fewer.
const AT_ONCE: usize = 3;

type Sheets<'a> = BoxStream<'a, Result<Sheet, Error>>;

/// The rows of a report after its cursor: as many as fit into a reply.
pub(crate) async fn answer(app: &App, question: &Question) -> Result<Page<TimeRow, TimeCursor>, Error> {
    answer_of(app, question, MOST_ROWS).await
}

/// The rows of a report after its cursor, `most` at most.
pub(crate) async fn answer_of(app: &App, question: &Question, most: usize) -> Result<Page<TimeRow, TimeCursor>, Error> {
    let (mut question, mut stored) = (question.clone(), None);
    if question.range.length() > LONG {
        let months = app.store.employees.months().await?;
        let Some(narrowed) = question.narrowed_to(&months) else { return Ok(Page { items: Vec::new(), next: None }) };
        (question, stored) = (narrowed, Some(months));
    }
    question.check_cost()?;
    let buckets = question.buckets();
    Ok(tally(app, &question, &buckets, stored.as_ref(), most).await?.page(&buckets, most))
}

/// Reads steps until all are read, or until more than `most` rows are complete.
///
/// If `stored` lists the months with data, steps without such a month are skipped.
async fn tally<'a>(
    app: &App,
    question: &'a Question,
    buckets: &[Bucket],
    stored: Option<&BTreeSet<UtcMonth>>,
    most: usize,
) -> Result<Tally<'a>, Error> {
    let mut tally = Tally::new(question);
    let has_any = |step: &Step| stored.is_none_or(|stored| !step.months().is_disjoint(stored));
    let steps = question.steps(buckets).into_iter().filter(has_any);
    let readings = steps.map(async |step| {
        let sheets = read(app, question, &step).await?;
        Ok::<_, Error>((step, sheets))
    });
    let mut readings = stream::iter(readings).buffered(AT_ONCE);
    while let Some((step, mut sheets)) = readings.try_next().await? {
        if step.pieces.first().is_some_and(|(bucket, _)| tally.rows_before(*bucket) > most) {
            break;
        }
        while let Some(sheet) = sheets.try_next().await? {
            tally.add(&step, &sheet);
        }
    }
    Ok(tally)
}

async fn read<'a>(app: &App, question: &Question, step: &Step) -> Result<Sheets<'a>, Error> {
    let apart = question.tells_work_apart();
    Ok(match question.source() {
        Source::Employees => app.store.employees.read(step, &question.filter.employees, apart).await?.boxed(),
        Source::Company => {
            let (whole, edges) = (step.whole(), step.edges());
            let whole = OptionFuture::from(whole.as_ref().map(|step| app.store.company.read(step, apart)));
            let edges = OptionFuture::from(edges.as_ref().map(|step| app.store.employees.read(step, &[], apart)));
            let (whole, edges) = join(whole, edges).await;
            let (whole, edges) = (whole.transpose()?, edges.transpose()?);
            stream::iter(whole).flatten().chain(stream::iter(edges).flatten()).boxed()
        }
        Source::Facts => stream::iter(from_facts(app, question, step).await?).map(Ok).boxed(),
    })
}

/// The time that counts in the shifts of the report's filter. Which part of a window counts depends
/// on the employee's other windows, so for each day on which an employee has such a shift, all
/// windows of the employee on that day are read.
async fn from_facts(app: &App, question: &Question, step: &Step) -> Result<Vec<Sheet>, Error> {
    let (days, filter) = (step.days(), &question.filter);
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let (first, last) = (TimeRange::of_utc_day(*first), TimeRange::of_utc_day(*last));
    let range = TimeRange::new(first.start(), last.end()).unwrap_or(first);
    let days = app.store.facts.days_of_shifts(range, &filter.shifts, &filter.employees).await?;
    let mut parts = counting(app, &Touched::by(days.iter().map(|day| day.place()))).await?;
    parts.retain(|part| filter.shifts.contains(&part.fact.shift_id));
    Ok(Sheet::of_days(stretches(&days, &parts)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bson::{Document, doc};
    use contracts::{GetTime, Service, WindowsRecorded};
    use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
    use testkit::Harness;

    use super::*;
    use crate::{
        Config,
        domain::{
            Overlaps, Total,
            tests::{
                brute::{Row, brute},
                history::{arrivals, placed, question},
            },
        },
    };

    type Rounded = (i64, contracts::Cents, contracts::Cents);

    async fn ask(harness: &Harness, question: Question) -> BTreeMap<Row, Rounded> {
        let Question { range, by: group_by, zone: timezone, filter, after } = question;
        let asked = GetTime { range, group_by, timezone, filter, after };
        let page = harness.ask(&asked).await.unwrap();
        assert_eq!(page.next, None);
        let row = |row: TimeRow| {
            let key = (row.day, row.week, row.month, row.project, row.task, row.employee);
            (key, (row.time, row.costs, row.income))
        };
        page.items.into_iter().map(row).collect()
    }

    fn rounded(exact: BTreeMap<Row, Total>) -> BTreeMap<Row, Rounded> {
        exact.into_iter().map(|(row, sum)| (row, (sum.time, sum.costs.cents(), sum.income.cents()))).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_real_servers_too_the_answer_is_that_of_brute_force() {
        for (count_overlaps, overlaps) in [(false, Overlaps::CountOnce), (true, Overlaps::CountAll)] {
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
                for (n, windows) in arrivals.chunks(3).enumerate() {
                    let event = WindowsRecorded { batch: format!("{history}-{n}"), windows: windows.to_vec() };
                    if n % 2 == 0 {
                        harness.publish_twice(&event).await;
                    } else {
                        harness.publish(&event).await;
                    }
                }
                for _ in 0..25 {
                    let question = placed(question().new_tree(&mut runner).unwrap().current(), &arrivals);
                    let expected = rounded(brute(&arrivals, &question, overlaps));
                    assert_eq!(ask(&harness, question.clone()).await, expected, "{question:?}");
                }
            }
            harness.finish().await;
        }
    }
}
