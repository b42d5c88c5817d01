//! Tests that the answer to a deactivation waits until no gateway accepts a token of the employee
//! any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_nats::jetstream::kv::Store;
use contracts::{Beat, Code, DeactivateEmployee, EmployeeId, Revocation, stream};
use futures::StreamExt;

use crate::fixture::Fixture;

async fn bucket(fixture: &Fixture) -> Store {
    fixture.harness.bus().jetstream.get_key_value(stream::REVOCATIONS).await.unwrap()
}

async fn beat(bucket: &Store, gateway: &str, seen: u64) {
    let beat = serde_json::to_vec(&Beat { number: 1, seen }).unwrap();
    bucket.put(Beat::key(gateway), beat.into()).await.unwrap();
}

/// Waits for an employee's revocation in the bucket, and returns the revision of its entry.
async fn revoked(bucket: &Store, employee: EmployeeId) -> u64 {
    let mut entries = bucket.watch_with_history(Revocation::key(employee)).await.unwrap();
    entries.next().await.unwrap().unwrap().revision
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_waits_for_a_gateway_that_beats() {
    let fixture = Fixture::start().await;
    let bucket = bucket(&fixture).await;
    let ann = fixture.create("Ann", "ann@x.org").await.unwrap();
    beat(&bucket, "one", 0).await;
    let has_read = Arc::new(AtomicBool::new(false));
    let acknowledging = tokio::spawn({
        let (bucket, has_read) = (bucket.clone(), has_read.clone());
        async move {
            let revision = revoked(&bucket, ann.id).await;
            has_read.store(true, Ordering::SeqCst);
            beat(&bucket, "one", revision).await;
        }
    });
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    assert!(has_read.load(Ordering::SeqCst));
    acknowledging.await.unwrap();
    fixture.harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_never_hears_delays_a_deactivation_and_does_not_hinder_it() {
    let fixture = Fixture::start().await;
    let bucket = bucket(&fixture).await;
    let [ann, bob] =
        [fixture.create("Ann", "ann@x.org").await.unwrap(), fixture.create("Bob", "bob@x.org").await.unwrap()];
    beat(&bucket, "dead", 0).await;
    fixture.harness.ask(&DeactivateEmployee { id: ann.id }).await.unwrap();
    // A heartbeat in an unknown format does not prevent a deactivation either.
    bucket.put(Beat::key("dead"), "1760000000000".into()).await.unwrap();
    fixture.harness.ask(&DeactivateEmployee { id: bob.id }).await.unwrap();
    assert!(revoked(&bucket, bob.id).await > revoked(&bucket, ann.id).await);
    let again = fixture.harness.ask(&DeactivateEmployee { id: bob.id }).await.unwrap_err();
    assert_eq!(again.code, Code::AlreadyDeactivated);
    fixture.harness.finish().await;
}
