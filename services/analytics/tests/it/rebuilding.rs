use analytics::{Config, Rebuilding, rebuild};
use bson::{Document, doc};
use contracts::{ContentHash, DAY, EmployeeId, GetProjectTime, HOUR, Label, Service, Window, WindowFact};
use kit::mongo::value;
use serde_json::json;
use testkit::{Harness, Running};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::fixture::*;

/// 2,200 windows of five employees, which start within 92 days and touch four UTC months. Timetrack
/// sends them in three pages. Some are voided, and some overlap.
pub fn windows() -> Vec<WindowFact> {
    let window = |n: i64| WindowFact {
        id: Uuid::from_u128((n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)).into(),
        employee_id: EmployeeId(Uuid::from_u128(n as u128 % 5)),
        project_id: project(n as u128 % 7),
        voided: n % 11 == 0,
        ..window(0, MIDNIGHT + n * HOUR, MIDNIGHT + n * HOUR + (1 + n % 9) * HOUR)
    };
    (0..2_200).map(window).collect()
}

fn questions() -> [GetProjectTime; 4] {
    let all = all_of(MIDNIGHT - DAY, MIDNIGHT + 100 * DAY);
    let odd = all_of(MIDNIGHT + 5 * HOUR + 1, MIDNIGHT + 77 * DAY + 7);
    let one = GetProjectTime { filter: of_one(EmployeeId(Uuid::from_u128(3))), ..odd.clone() };
    [all, odd, one, all_of(MIDNIGHT + 20 * DAY, MIDNIGHT + 21 * DAY)]
}

/// Starts a harness with timetrack, which has stored these windows.
pub async fn harness_with(windows: &[WindowFact]) -> (Harness, Running) {
    let harness = Harness::start().await;
    let run = |deps, shutdown| timetrack::run(timetrack::Config::default(), deps, shutdown);
    let timetrack = harness.spawn(timetrack::needs(), run).await;
    harness.provision(&analytics::needs()).await;
    let stored = harness.database(Service::Timetrack).await.collection::<Document>("windows");
    stored.insert_many(windows.iter().map(stored_by_timetrack)).await.unwrap();
    (harness, timetrack)
}

pub fn stored_by_timetrack(fact: &WindowFact) -> Document {
    let window = json!({
        "id": fact.id, "employeeId": fact.employee_id, "shiftId": fact.shift_id, "organizationId": "default-org",
        "type": "tracked", "start": fact.start, "end": fact.end, "timezoneOffset": 0, "startTranslated": fact.start,
        "endTranslated": fact.end, "negativeTime": 0, "projectId": fact.project_id, "taskId": fact.task_id,
        "taskStatus": "To Do", "taskPriority": "Low", "note": null, "billable": fact.billable,
        "overtime": fact.overtime, "paid": false, "billRate": fact.rates.bill_rate,
        "overtimeBillRate": fact.rates.overtime_bill_rate, "payRate": fact.rates.pay_rate,
        "overtimePayRate": fact.rates.overtime_pay_rate, "computer": "mac", "user": "ann", "domain": null,
        "os": "darwin", "osVersion": "15", "hwid": "hw", "createdAt": 0, "updatedAt": 0,
    });
    let window: Window = serde_json::from_value(window).unwrap();
    let hash = value(&ContentHash(Uuid::nil()));
    let id = value(&fact.id);
    doc! { "_id": id, "revision": fact.revision, "hash": hash, "voided": fact.voided, "window": value(&window) }
}

async fn rebuild_all(harness: &Harness) -> Vec<Rebuilding> {
    let told = std::sync::Mutex::new(Vec::new());
    let deps = harness.deps(Service::Analytics).await;
    rebuild(&Config::default(), &deps, |at| told.lock().unwrap().push(at)).await.unwrap();
    told.into_inner().unwrap()
}

pub async fn assert_figures(harness: &Harness, windows: &[WindowFact]) {
    for asked in questions() {
        assert_eq!(harness.ask(&asked).await.unwrap(), brute(windows, &asked), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_a_rebuild_ends_in_all_figures_and_tells_how_far_it_is() {
    let windows = windows();
    let (harness, _timetrack) = harness_with(&windows).await;
    let told = rebuild_all(&harness).await;
    assert_eq!(told[0], Rebuilding::Facts { windows: 1_000 });
    assert!(told.contains(&Rebuilding::Facts { windows: 2_200 }));
    assert!(told.contains(&Rebuilding::Employees { done: 5, of: 5 }));
    assert_eq!(told.last(), Some(&Rebuilding::Company { done: 4, of: 4 }));
    let _analytics = spawn(&harness).await;
    assert_figures(&harness, &windows).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_damaged_is_healed_and_the_figures_are_as_before() {
    let windows = windows();
    let (harness, _timetrack) = harness_with(&windows).await;
    let _analytics = spawn(&harness).await;
    for windows in windows.chunks(400) {
        harness.publish(&recorded(windows)).await;
    }
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    assert_figures(&harness, &windows).await;

    let database = harness.database(Service::Analytics).await;
    let [facts, of_employees, of_all] =
        ["facts", "employee_months", "company_months"].map(|name| database.collection::<Document>(name));
    let wrong = doc! { "$set": { "billable": false, "shift": "another" } };
    facts.update_many(doc! { "project": value(&project(3)) }, wrong).await.unwrap();
    facts.delete_many(doc! { "project": value(&project(4)) }).await.unwrap();
    of_employees.delete_one(doc! {}).await.unwrap();
    let copied = of_all.find_one(doc! {}).await.unwrap().unwrap();
    let day = copied.get_document("cells").unwrap().keys().next().unwrap();
    let of_another = doc! { "$set": { "total": copied.get("total") }, "$unset": { format!("cells.{day}"): true } };
    of_all.update_many(doc! {}, of_another).await.unwrap();
    // Adds a document with sums for a month that has no windows, as if all of them had been moved
    // to another month.
    let mut left = of_employees.find_one(doc! {}).await.unwrap().unwrap();
    left.get_document_mut("_id").unwrap().insert("month", 666);
    of_employees.insert_one(left).await.unwrap();

    rebuild_all(&harness).await;
    assert_figures(&harness, &windows).await;
    let left = of_employees.find_one(doc! { "_id.month": 666 }).await.unwrap().unwrap();
    assert!(left.get_document("parts").unwrap().len() < 31, "{left:?}");
    assert_eq!(facts.count_documents(doc! { "shift": "another" }).await.unwrap(), 0);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_live_traffic_a_rebuild_loses_nothing_that_comes_in() {
    let mut windows = windows();
    let (harness, _timetrack) = harness_with(&windows).await;
    let _analytics = spawn(&harness).await;
    let stored = harness.database(Service::Timetrack).await.collection::<Document>("windows");
    let late = Label::parse("late").unwrap();
    let changed: Vec<WindowFact> = (0..300)
        .map(|n| {
            let was = &windows[n * 7];
            let start = was.start + (n as i64 % 3) * DAY;
            let shift_id = late.clone();
            WindowFact { revision: 2, start, end: start + HOUR, voided: n % 5 == 0, shift_id, ..was.clone() }
        })
        .collect();
    let live = async {
        for changes in changed.chunks(10) {
            for fact in changes {
                stored.replace_one(doc! { "_id": value(&fact.id) }, stored_by_timetrack(fact)).await.unwrap();
            }
            harness.publish(&recorded(changes)).await;
        }
    };
    tokio::join!(rebuild_all(&harness), live);
    windows.extend(changed);
    harness.until_consumed(contracts::stream::EVENTS, Service::Analytics).await;
    assert_figures(&harness, &windows).await;
    harness.finish().await;
}

/// Runs a rebuild, and stops it when `here` returns true for its progress.
async fn rebuild_until(harness: &Harness, here: impl Fn(Rebuilding) -> bool) {
    let (config, deps, reached) = (Config::default(), harness.deps(Service::Analytics).await, Notify::new());
    let tell = |at| {
        if here(at) {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => {}
        done = rebuild(&config, &deps, tell) => panic!("it came to its end: {done:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_a_rebuild_goes_on_where_it_was() {
    let windows = windows();
    let (harness, _timetrack) = harness_with(&windows).await;
    rebuild_until(&harness, |at| at == Rebuilding::Facts { windows: 2_000 }).await;
    // The last step that was reported may be repeated.
    rebuild_until(&harness, |at| {
        assert!(!matches!(at, Rebuilding::Facts { windows: ..2_000 }), "{at:?}");
        at == Rebuilding::Employees { done: 3, of: 5 }
    })
    .await;
    rebuild_until(&harness, |at| {
        assert!(!matches!(at, Rebuilding::Facts { .. } | Rebuilding::Employees { done: ..3, .. }), "{at:?}");
        matches!(at, Rebuilding::Company { .. })
    })
    .await;
    let told = rebuild_all(&harness).await;
    assert!(matches!(told[0], Rebuilding::Company { .. }), "{told:?}");
    let _analytics = spawn(&harness).await;
    assert_figures(&harness, &windows).await;
    // The last rebuild has ended, so the next one starts from the beginning.
    assert_eq!(rebuild_all(&harness).await[0], Rebuilding::Facts { windows: 1_000 });
    assert_figures(&harness, &windows).await;
    harness.finish().await;
}
