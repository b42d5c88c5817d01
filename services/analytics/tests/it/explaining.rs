use analytics::{Config, rebuild};
use bson::{Bson, Document, doc};
use contracts::{DAY, Filter, GetProjectTime, GetTaskTime, GetTime, Grouping, HOUR, Service, WindowFact};
use futures::TryStreamExt;
use testkit::Harness;
use uuid::Uuid;

use crate::fixture::*;

/// Windows of 40 employees on 120 days, each in a shift of its own.
fn windows() -> Vec<WindowFact> {
    let window = |n: i64| {
        let (employee, day) = (n % 40, n / 40);
        WindowFact {
            employee_id: Uuid::from_u128(1 + employee as u128).into(),
            shift_id: contracts::Label::parse(&format!("{employee} {day}")).unwrap(),
            ..window(n as u128, MIDNIGHT + day * DAY, MIDNIGHT + day * DAY + HOUR)
        }
    };
    (0..4_800).map(window).collect()
}

/// The operations on the collections of analytics that MongoDB's profiler has recorded.
async fn profile(harness: &Harness) -> Vec<Document> {
    let rows = harness.database(Service::Analytics).await.collection::<Document>("system.profile");
    let ours = doc! { "ns": { "$not": { "$regex": "system|outbox" } }, "planSummary": { "$exists": true } };
    rows.find(ours).await.unwrap().try_collect().await.unwrap()
}

async fn write_down_everything(harness: &Harness) {
    let rows = harness.database(Service::Analytics).await.collection::<Document>("system.profile");
    let database = rows.client().database(&rows.namespace().db);
    database.run_command(doc! { "profile": 2 }).await.unwrap();
}

fn number(row: &Document, field: &str) -> i64 {
    match row.get(field) {
        Some(Bson::Int32(number)) => i64::from(*number),
        Some(Bson::Int64(number)) => *number,
        _ => 0,
    }
}

fn assert_plans(profile: &[Document], of: &str) {
    assert!(!profile.is_empty(), "{of}");
    for row in profile {
        let plan = row.get_str("planSummary").unwrap();
        assert!(!plan.contains("COLLSCAN"), "{of} scans: {row}");
        // A query may not examine more documents than it returns.
        if row.get_str("op").unwrap() == "query" {
            assert!(number(row, "docsExamined") <= number(row, "nreturned"), "{of} looks at too much: {row}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_scans_a_collection_or_looks_at_more_than_it_needs() {
    let (harness, _analytics) = start().await;
    let windows = windows();
    for windows in windows.chunks(400) {
        harness.publish(&recorded(windows)).await;
    }
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    write_down_everything(&harness).await;
    let odd = range(MIDNIGHT + 5 * DAY + 1, MIDNIGHT + 95 * DAY + 7);
    let employees = [vec![], vec![windows[7].employee_id], vec![windows[7].employee_id, windows[8].employee_id]];
    let groupings: [&[Grouping]; 4] =
        [&[], &[Grouping::Project, Grouping::Day], &[Grouping::Employee, Grouping::Week], &[Grouping::Month]];
    for employees in employees {
        for shifts in [vec![], vec![windows[7].shift_id.clone(), windows[407].shift_id.clone()]] {
            let filter = Filter { employees: employees.clone(), shifts: shifts.clone(), ..Filter::default() };
            for (group_by, zone) in groupings.into_iter().flat_map(|by| [(by, "UTC"), (by, "Asia/Kolkata")]) {
                let asked = GetTime {
                    range: odd,
                    group_by: group_by.iter().copied().collect(),
                    timezone: zone.parse().unwrap(),
                    filter: Filter { projects: vec![project(1)], ..filter.clone() },
                    after: None,
                };
                assert!(!harness.ask(&asked).await.unwrap().items.is_empty() || !shifts.is_empty());
            }
            harness.ask(&GetProjectTime { range: odd, filter }).await.unwrap();
        }
    }
    harness.ask(&GetTaskTime { employee_id: windows[7].employee_id, task_id: task(1) }).await.unwrap();
    assert_plans(&profile(&harness).await, "a question");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employees_day_is_read_from_one_document() {
    let (harness, _analytics) = start().await;
    for windows in windows().chunks(400) {
        harness.publish(&recorded(windows)).await;
    }
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    write_down_everything(&harness).await;
    let filter = of_one(Uuid::from_u128(8).into());
    let asked = GetProjectTime { filter, ..all_of(MIDNIGHT + 1, MIDNIGHT + DAY) };
    assert_eq!(times(&harness, &asked).await, [(project(1), HOUR - 1)]);
    let looked_at: Vec<i64> = profile(&harness).await.iter().map(|row| number(row, "docsExamined")).collect();
    assert_eq!(looked_at, [1]);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_counting_nor_a_rebuild_scans_a_collection() {
    let (harness, _analytics) = start().await;
    write_down_everything(&harness).await;
    let windows = windows();
    for windows in windows.chunks(400) {
        harness.publish(&recorded(windows)).await;
    }
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    assert_plans(&profile(&harness).await, "counting");

    // The rebuild requests all windows from timetrack, which has none here, and then recomputes the
    // sums of all stored facts.
    let run = |deps, shutdown| timetrack::run(timetrack::Config::default(), deps, shutdown);
    let _timetrack = harness.spawn(timetrack::needs(), run).await;
    rebuild(&Config::default(), &harness.deps(Service::Analytics).await, |_| {}).await.unwrap();
    assert_plans(&profile(&harness).await, "a rebuild");
    assert_eq!(harness.ask(&all_of(MIDNIGHT, MIDNIGHT + 120 * DAY)).await.unwrap()[0].time, 4_800 * HOUR);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_counted_a_day_last_reads_only_what_has_changed_of_it() {
    let (harness, _analytics) = start().await;
    let of_day: Vec<WindowFact> = windows().into_iter().take(40).collect();
    harness.publish(&recorded(&of_day)).await;
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    write_down_everything(&harness).await;
    let later =
        WindowFact { employee_id: of_day[7].employee_id, ..window(9_999, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR) };
    harness.publish(&recorded(&[later])).await;
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    for row in profile(&harness).await {
        assert!(number(&row, "docsExamined") <= 1, "the months of others are read: {row}");
    }
    assert_eq!(times(&harness, &all_of(MIDNIGHT, MIDNIGHT + DAY)).await, [(project(1), 41 * HOUR)]);
    harness.finish().await;
}
