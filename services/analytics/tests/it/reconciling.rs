//! Tests of the comparison of facts with timetrack's windows.

use std::sync::atomic::{AtomicBool, Ordering};

use bson::{Document, doc};
use contracts::{DAY, EmployeeId, HOUR, ReconcileAnalytics, Reconciled, Service, WindowFact, stream};
use kit::mongo::value;
use mongodb::Collection;
use testkit::{Harness, Running, eventually_within};
use uuid::Uuid;

use crate::{
    fixture::*,
    rebuilding::{assert_figures, harness_with, stored_by_timetrack, windows},
};

const BOUND: std::time::Duration = std::time::Duration::from_secs(30);

fn tally(done: Reconciled) -> (u64, u64) {
    (done.found, done.repaired)
}

async fn reconcile(harness: &Harness) -> Reconciled {
    let within = std::time::Duration::from_secs(60);
    harness.bus().ask_within(within, contracts::Caller::Admin, &ReconcileAnalytics {}).await.unwrap()
}

async fn collection(harness: &Harness, service: Service, name: &str) -> Collection<Document> {
    harness.database(service).await.collection(name)
}

/// Starts a harness in which timetrack has stored these windows, and analytics has counted them.
async fn counted(windows: &[WindowFact]) -> (Harness, Running, Running) {
    let (harness, timetrack) = harness_with(windows).await;
    let analytics = spawn(&harness).await;
    for windows in windows.chunks(400) {
        harness.publish(&recorded(windows)).await;
    }
    harness.until_consumed(stream::EVENTS, Service::Analytics).await;
    (harness, timetrack, analytics)
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_put_right_where_they_were_broken_and_left_alone_where_they_were_not() {
    let windows = windows();
    let (harness, _timetrack, analytics) = counted(&windows).await;
    let done = reconcile(&harness).await;
    assert_eq!(tally(done), (0, 0));
    assert!(done.compared >= 15, "{done:?}");

    let facts = collection(&harness, Service::Analytics, "facts").await;
    // Four facts are made wrong: one gets an older revision, one is removed, one gets another end,
    // and one is added without a window. Later all facts of one employee are removed.
    let ids: Vec<_> = windows.iter().filter(|window| !window.voided).map(|window| value(&window.id)).collect();
    facts.update_one(doc! { "_id": &ids[0] }, doc! { "$set": { "revision": 0_i64, "billable": false } }).await.unwrap();
    facts.delete_one(doc! { "_id": &ids[1] }).await.unwrap();
    let moved = doc! { "$inc": { "end": -HOUR / 2 } };
    facts.update_one(doc! { "_id": &ids[2] }, moved).await.unwrap();
    let mut made_up = facts.find_one(doc! { "_id": &ids[3] }).await.unwrap().unwrap();
    made_up.insert("_id", value(&window_id(99)));
    made_up.insert("employee", value(&EmployeeId(Uuid::from_u128(77))));
    facts.insert_one(made_up).await.unwrap();
    assert_eq!(tally(reconcile(&harness).await), (4, 4));
    assert_figures(&harness, &windows).await;
    assert_eq!(tally(reconcile(&harness).await), (0, 0));
    analytics.until_says("t3_reconcile_repaired_total{copy=\"facts\"} 4").await;

    facts.delete_many(doc! { "employee": value(&EmployeeId(Uuid::from_u128(3))) }).await.unwrap();
    let (found, repaired) = tally(reconcile(&harness).await);
    assert!(found == repaired && found > 400, "{found} {repaired}");
    assert_figures(&harness, &windows).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_while_windows_are_recorded_and_corrected() {
    let mut windows = windows();
    let (harness, _timetrack, _analytics) = counted(&windows).await;
    let _second = spawn(&harness).await;
    let stored = collection(&harness, Service::Timetrack, "windows").await;
    let is_over = AtomicBool::new(false);
    let live = async {
        let mut live = Vec::new();
        let mut n = 0;
        while !is_over.load(Ordering::Relaxed) {
            let start = MIDNIGHT + n * HOUR;
            let employee_id = EmployeeId(Uuid::from_u128(n as u128 % 5));
            let new = WindowFact { employee_id, ..window(1_000_000 + n as u128, start, start + HOUR / 2) };
            // The windows are stored before their event is published, as in timetrack.
            let was = windows[n as usize % windows.len()].clone();
            let corrected = WindowFact {
                revision: 2 + n / windows.len() as i64,
                start: was.start + DAY,
                end: was.end + DAY,
                ..was
            };
            stored.insert_one(stored_by_timetrack(&new)).await.unwrap();
            stored.replace_one(doc! { "_id": value(&corrected.id) }, stored_by_timetrack(&corrected)).await.unwrap();
            tokio::task::yield_now().await;
            harness.publish(&recorded(&[new.clone(), corrected.clone()])).await;
            live.extend([new, corrected]);
            n += 1;
        }
        live
    };
    let compare = async {
        for _ in 0..10 {
            assert_eq!(tally(reconcile(&harness).await), (0, 0));
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let (live, ()) = tokio::join!(live, compare);
    assert!(live.len() > 20, "{}", live.len());
    windows.extend(live);
    harness.until_consumed(stream::EVENTS, Service::Analytics).await;
    assert_eq!(tally(reconcile(&harness).await), (0, 0));
    assert_figures(&harness, &windows).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn analytics_that_was_away_when_events_forgot_windows_takes_them_from_timetrack() {
    let mut windows = windows();
    let (harness, timetrack, analytics) = counted(&windows).await;
    analytics.stop().await;
    let stored = collection(&harness, Service::Timetrack, "windows").await;
    let missed: Vec<WindowFact> = (0..50)
        .map(|n| WindowFact { revision: 2, voided: n % 2 == 0, ..windows[n * 3].clone() })
        .chain((0..50).map(|n| window(2_000_000 + n, MIDNIGHT + n as i64 * HOUR, MIDNIGHT + (n as i64 + 1) * HOUR)))
        .collect();
    for fact in &missed {
        let this = doc! { "_id": value(&fact.id) };
        stored.replace_one(this, stored_by_timetrack(fact)).upsert(true).await.unwrap();
    }
    harness.publish(&recorded(&missed)).await;
    // The test waits until timetrack has read the event. Otherwise timetrack would miss it too.
    // Before it is ready, it would then compare its copies with those of the services `directory`
    // and `projects`, which do not run here.
    let mut events = harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let last = events.info().await.unwrap().state.last_sequence as i64;
    let marks = collection(&harness, Service::Timetrack, "event_marks").await;
    eventually_within(BOUND, "a mark", async || {
        marks.find_one(doc! { "place": { "$gte": last } }).await.unwrap().map(drop)
    })
    .await;
    harness.forget_events().await;
    timetrack.stop().await;

    let analytics = spawn(&harness).await;
    analytics.until_says("t3_events_missed 1").await;
    let missing = analytics.get("/readyz").await;
    assert!(missing.contains("503") && missing.contains("made up for missed events"), "{missing}");
    let run = |deps, shutdown| timetrack::run(timetrack::Config::default(), deps, shutdown);
    harness.spawn(timetrack::needs(), run).await;
    analytics.until_says("t3_events_missed 0").await;
    analytics.until_says("t3_events_gaps_total 1").await;
    analytics.until_says("t3_ready 1").await;
    windows.extend(missed);
    assert_figures(&harness, &windows).await;
    assert_eq!(tally(reconcile(&harness).await), (0, 0));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_comparisons_at_once_end_in_right_figures() {
    let windows = windows();
    let (harness, _timetrack, _analytics) = counted(&windows).await;
    let _second = spawn(&harness).await;
    let facts = collection(&harness, Service::Analytics, "facts").await;
    facts.delete_many(doc! { "project": value(&project(4)) }).await.unwrap();
    let done = tokio::join!(reconcile(&harness), reconcile(&harness), reconcile(&harness), reconcile(&harness));
    assert!(done.0.found + done.1.found + done.2.found + done.3.found > 100, "{done:?}");
    assert_figures(&harness, &windows).await;
    assert_eq!(tally(reconcile(&harness).await), (0, 0));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_began_to_put_right_who_died_is_finished() {
    let windows = windows();
    let (harness, _timetrack, _analytics) = counted(&windows).await;
    let names = ["mends", "employee_months", "company_months"];
    let [mends, of_employees, of_all] = names.map(|name| collection(&harness, Service::Analytics, name));
    let (mends, of_employees, of_all) = (mends.await, of_employees.await, of_all.await);
    // The facts are right, but all sums are missing, as after a crash in the middle of a repair.
    of_employees.delete_many(doc! {}).await.unwrap();
    of_all.delete_many(doc! {}).await.unwrap();
    let whole = |n: u128| {
        let (start, end) = (MIDNIGHT - DAY, MIDNIGHT + 100 * DAY);
        doc! { "employee": value(&EmployeeId(Uuid::from_u128(n))), "start": start, "end": end }
    };
    mends.insert_one(doc! { "places": (0..5).map(whole).collect::<Vec<_>>() }).await.unwrap();
    assert_eq!(tally(reconcile(&harness).await), (0, 0));
    eventually_within(BOUND, "it is over", async || (mends.count_documents(doc! {}).await.unwrap() == 0).then_some(()))
        .await;
    assert_figures(&harness, &windows).await;
    harness.finish().await;
}
