use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use contracts::{
    Code, GetWindow, HOUR, INGEST_WINDOWS, IngestBatch, ListQuarantine, Outcome, WindowState, content_hash, stream,
};
use testkit::eventually_within;
use timetrack::{Config, Faults, Step};

use crate::support::{Fixture, spawn};

/// A time limit that is longer than the consumer of INGEST waits for an acknowledgement before it
/// redelivers.
const REDELIVERED: Duration = Duration::from_secs(75);

/// Starts a worker whose task dies the first `times` times it reaches a step, and then a second
/// worker. The three windows in the queue must be recorded exactly once.
async fn dies_after(step: Step, times: usize) {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let died = Arc::new(AtomicUsize::new(0));
    let count = died.clone();
    let faults = Faults::when(move |at| at == step && count.fetch_add(1, Ordering::SeqCst) < times);
    let mortal = fixture.harness.spawn(timetrack::needs(), move |deps, shutdown| {
        timetrack::run_with(faults, Config::default(), deps, shutdown)
    });
    let mortal = mortal.await;
    let items: Vec<_> = (0..3).map(|hour| fixture.window(hour)).collect();
    let payload = serde_json::to_vec(&IngestBatch { items: items.clone() }).unwrap();
    fixture.harness.bus().jetstream.publish(INGEST_WINDOWS, payload.into()).await.unwrap().await.unwrap();
    eventually_within(REDELIVERED, "it has died", async || (died.load(Ordering::SeqCst) >= times).then_some(())).await;
    let heir = spawn(&fixture.harness).await;
    eventually_within(REDELIVERED, "the queue is empty", async || {
        (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
    })
    .await;
    assert_eq!(fixture.stored().await.len(), 3, "each window once");
    assert!(fixture.send(items).await.iter().all(|outcome| matches!(outcome, Outcome::Duplicate(_))));
    assert_eq!(fixture.harness.stream_messages(stream::DEAD).await, 0);
    drop((mortal, heir));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_the_insert_loses_and_doubles_nothing() {
    dies_after(Step::Inserted, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_telling_analytics_loses_and_doubles_nothing() {
    dies_after(Step::Published, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_before_the_acknowledgement_loses_and_doubles_nothing() {
    dies_after(Step::Answered, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_again_at_the_redelivery_changes_nothing() {
    dies_after(Step::Inserted, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_holding_windows_back_loses_and_doubles_none_of_them() {
    let mut fixture = Fixture::with_ann().await;
    let first = fixture.window(0);
    fixture.send(vec![first.clone()]).await;
    fixture.timetrack.take().unwrap().stop().await;
    let died = Arc::new(AtomicUsize::new(0));
    let count = died.clone();
    let faults = Faults::when(move |at| at == Step::Inserted && count.fetch_add(1, Ordering::SeqCst) < 1);
    let mortal = fixture.harness.spawn(timetrack::needs(), move |deps, shutdown| {
        timetrack::run_with(faults, Config::default(), deps, shutdown)
    });
    let mortal = mortal.await;
    let (mut conflict, mut ahead) = (first, fixture.window(1).window);
    conflict.window.end = conflict.window.end - 1;
    conflict.hash = content_hash(&conflict.window);
    (ahead.start, ahead.end) = (fixture.harness.clock.now(), fixture.harness.clock.now() + HOUR);
    let seq = fixture.queue(vec![conflict.clone(), fixture.item(ahead), fixture.window(2)]).await;
    eventually_within(REDELIVERED, "it has died", async || (died.load(Ordering::SeqCst) >= 1).then_some(())).await;
    let heir = spawn(&fixture.harness).await;
    eventually_within(REDELIVERED, "the queue is empty", async || {
        (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
    })
    .await;
    let quarantined = fixture.harness.ask(&ListQuarantine::default()).await.unwrap().items;
    let codes: BTreeSet<_> = quarantined.iter().map(|quarantined| format!("{:?}", quarantined.code)).collect();
    assert_eq!((quarantined.len(), codes), (2, ["ClockAhead", "Conflict"].map(String::from).into()));
    assert_eq!(fixture.stored().await.len(), 2);
    let told = GetWindow { id: conflict.id, seq: Some(seq), set_aside: true };
    assert!(matches!(fixture.harness.ask(&told).await, Ok(WindowState::Rejected { code: Code::Conflict, .. })));
    drop((mortal, heir));
}
