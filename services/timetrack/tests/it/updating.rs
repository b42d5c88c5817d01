use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bson::{Document, doc};
use contracts::{Actor, Code, DAY, EventId, HOUR, IngestItem, Rate, Service, UpdateWindows, WindowChanges, stream};
use testkit::eventually;

use crate::support::{Fixture, NOON, between, spawn};

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_clears_what_is_null_and_tells_analytics() {
    let fixture = Fixture::with_ann().await;
    fixture.send((0..3).map(|hour| fixture.window(hour)).collect()).await;
    let events = fixture.harness.stream_messages(stream::EVENTS).await;
    let rate = Rate::try_from(30.0).ok();
    let changes =
        WindowChanges { paid: Some(true), pay_rate: Some(rate), overtime_bill_rate: Some(None), ..Default::default() };
    let update =
        UpdateWindows { employees: vec![fixture.ann], projects: vec![fixture.project], changes, ..Default::default() };
    assert_eq!(fixture.harness.ask(&update).await.unwrap().modified, 3);
    assert_eq!(
        fixture.harness.stream_messages(stream::EVENTS).await,
        events + 2,
        "the windows, and an entry in the trail"
    );
    for window in fixture.stored().await {
        assert_eq!((window.paid, window.pay_rate, window.overtime_bill_rate), (true, rate, None));
        assert_eq!(window.bill_rate, Rate::try_from(50.0).ok());
    }
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_without_a_filter_or_without_a_change_is_refused() {
    let fixture = Fixture::with_ann().await;
    let changes = WindowChanges { paid: Some(true), ..Default::default() };
    let no_filter = UpdateWindows { changes, ..Default::default() };
    assert_eq!(fixture.harness.ask(&no_filter).await.unwrap_err().code, Code::NoFilter);
    let nothing = UpdateWindows { employees: vec![fixture.ann], ..Default::default() };
    assert_eq!(fixture.harness.ask(&nothing).await.unwrap_err().code, Code::NothingToChange);
    let nobody = UpdateWindows { employees: vec![kit::new_id()], ..no_filter };
    assert_eq!(fixture.harness.ask(&nobody).await.unwrap().modified, 0);
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_window_is_no_conflict_after_an_update() {
    let fixture = Fixture::with_ann().await;
    fixture.send(vec![fixture.window(0)]).await;
    let changes = WindowChanges { note: Some(contracts::Note::parse("looked at").ok()), ..Default::default() };
    let update = UpdateWindows { employees: vec![fixture.ann], changes, ..Default::default() };
    fixture.harness.ask(&update).await.unwrap();
    let outcomes = fixture.send(vec![fixture.window(0)]).await;
    assert!(matches!(&outcomes[..], [contracts::Outcome::Duplicate(_)]), "{outcomes:?}");
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_was_recorded_before_it_whatever_the_clocks_say() {
    let fixture = Fixture::with_ann().await;
    let by_the_clock_of_another_machine = |hour, ahead| {
        let item = fixture.window(hour);
        IngestItem { received_at: item.received_at + ahead, ..item }
    };
    let apart = vec![
        by_the_clock_of_another_machine(0, DAY),
        by_the_clock_of_another_machine(1, 0),
        by_the_clock_of_another_machine(2, -DAY),
    ];
    fixture.send(apart).await;
    let changes = WindowChanges { paid: Some(true), ..Default::default() };
    let update = UpdateWindows { employees: vec![fixture.ann], changes, ..Default::default() };
    assert_eq!(fixture.harness.ask(&update).await.unwrap().modified, 3);
    assert!(fixture.stored().await.iter().all(|window| window.paid));
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_ends_while_windows_keep_coming_and_misses_none_of_those_before_it() {
    let fixture = Arc::new(Fixture::with_ann().await);
    let before = 500;
    fixture.send((0..before).map(|hour| fixture.window(hour)).collect()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, stopped) = (fixture.clone(), stop.clone());
    let coming = tokio::spawn(async move {
        let mut hour = before;
        while !stopped.load(Ordering::SeqCst) {
            sender.send((hour..hour + 50).map(|hour| sender.window(hour)).collect()).await;
            hour += 50;
        }
    });
    let changes = WindowChanges { paid: Some(true), ..Default::default() };
    let update = UpdateWindows { employees: vec![fixture.ann], changes, ..Default::default() };
    let modified = fixture.harness.ask(&update).await.unwrap().modified;
    stop.store(true, Ordering::SeqCst);
    coming.await.unwrap();
    assert!(modified >= before as u64, "{modified}");
    let early = fixture.harness.ask(&between(NOON, NOON + before * HOUR)).await.unwrap().items;
    assert_eq!(early.len() as i64, before);
    assert!(early.iter().all(|window| window.paid));
    Arc::into_inner(fixture).unwrap().harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_process_died_is_finished_by_another() {
    let mut fixture = Fixture::with_ann().await;
    fixture.send((0..3).map(|hour| fixture.window(hour)).collect()).await;
    let changes = WindowChanges { paid: Some(true), ..Default::default() };
    let update = UpdateWindows { employees: vec![fixture.ann], changes, ..Default::default() };
    fixture.timetrack.take().unwrap().stop().await;
    // This document is the job that a process leaves if it dies between the request and the first
    // chunk.
    let jobs = fixture.harness.database(Service::Timetrack).await.collection::<Document>("updates");
    let (id, ann) = (kit::new_id::<EventId>(), Actor::Person { employee: fixture.ann, session: None });
    let left = doc! {
        "_id": kit::mongo::value(&id), "request": kit::mongo::value(&update),
        "asked": fixture.harness.clock.now().0, "after": null, "modified": 0_i64, "done": false, "lease": 0_i64,
        "by": ann.to_string(), "request_id": "a-request", "address": "192.0.2.7",
    };
    jobs.insert_one(left).await.unwrap();
    fixture.timetrack = Some(spawn(&fixture.harness).await);
    eventually("all are paid", async || fixture.stored().await.iter().all(|w| w.paid).then_some(())).await;
    eventually("the job is done", async || jobs.find_one(doc! { "done": true }).await.unwrap()).await;
    // The actor must be the person who requested the job, although another process has finished it.
    assert_eq!(fixture.harness.audited_actions(1).await, ["windows.updated"]);
    let (origin, entry) = fixture.harness.audited().await.remove(0);
    assert_eq!((origin.actor(), origin.request_id.as_deref()), (Some(ann), Some("a-request")));
    assert_eq!((entry.subject.id, entry.address.as_deref()), (id.to_string(), Some("192.0.2.7")));
    assert_eq!(entry.changes.unwrap()[0]["value"]["modified"], 3);
    fixture.harness.finish().await;
}
