//! Tests of windows that clients send in batches, while others are posted one by one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use contracts::{INGEST_BATCHES, IngestBatch, IngestItem, Outcome, stream};
use testkit::eventually_within;
use timetrack::{Config, Faults, Step};

use crate::support::{Fixture, LetGo};

const PATIENCE: Duration = Duration::from_secs(60);

async fn queue_batched(fixture: &Fixture, items: Vec<IngestItem>) {
    let payload = serde_json::to_vec(&IngestBatch { items }).unwrap();
    fixture.harness.bus().jetstream.publish(INGEST_BATCHES, payload.into()).await.unwrap().await.unwrap();
}

/// Faults that stop the first `most` batches after they were checked, until `still` becomes false.
fn stuck(still: Arc<AtomicBool>, checked: Arc<AtomicUsize>, most: usize) -> Faults {
    Faults::when(move |step| {
        if step == Step::Checked && checked.fetch_add(1, Ordering::SeqCst) < most {
            // Other tasks of the same thread must go on, for example the connection to NATS. So
            // only this task is blocked.
            tokio::task::block_in_place(|| {
                while still.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        false
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_single_post_overtakes_batches_that_came_before_it() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let (still, checked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let _let_go = LetGo(still.clone());
    for hour in 0..40 {
        queue_batched(&fixture, vec![fixture.window(hour)]).await;
    }
    // Both permits for client batches are held by batches that stand still. The single post must
    // not wait for them.
    let faults = stuck(still.clone(), checked.clone(), 2);
    let run = |deps, shutdown| timetrack::run_with(faults, Config::default(), deps, shutdown);
    fixture.timetrack = Some(fixture.harness.spawn(timetrack::needs(), run).await);
    eventually_within(PATIENCE, "batches stand still", async || (checked.load(Ordering::SeqCst) == 2).then_some(()))
        .await;
    let word = fixture.send(vec![fixture.window(60)]).await;
    assert!(matches!(&word[..], [Outcome::Stored(window)] if window.get() != "null"));
    assert_eq!(fixture.stored().await.len(), 1, "no batch has gone before it");
    still.store(false, Ordering::SeqCst);
    eventually_within(PATIENCE, "the queue is empty", async || {
        (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
    })
    .await;
    assert_eq!(fixture.stored().await.len(), 41);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_it_is_told_only_that_its_windows_are_recorded() {
    let fixture = Fixture::with_ann().await;
    let payload = serde_json::to_vec(&IngestBatch { items: vec![fixture.window(0)] }).unwrap();
    let word = fixture.send_on(INGEST_BATCHES, payload.clone()).await.unwrap();
    assert!(matches!(&word[..], [Outcome::Stored(nothing)] if nothing.get() == "null"));
    let word = fixture.send_on(INGEST_BATCHES, payload.clone()).await.unwrap();
    assert!(matches!(&word[..], [Outcome::Duplicate(nothing)] if nothing.get() == "null"));
    let word = fixture.send_payload(payload).await.unwrap();
    assert!(matches!(&word[..], [Outcome::Duplicate(window)] if window.get() != "null"));
}
