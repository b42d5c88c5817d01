//! Tests with a real mongod that answers as if its secondaries lagged.

use std::time::Duration;

use bson::{Bson, Document, doc};
use contracts::{Code, EmployeeChanged, EmployeeId, EmployeeState, Service, stream};
use kit::{Error, Needs, Shutdown, mongo};
use testkit::{Harness, LaggingMongo, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_may_not_be_on_a_majority_is_not_answered_as_done_and_its_event_follows_it() {
    let lagging = LaggingMongo::start().await;
    let harness = Harness::start_on(&lagging.connection_string()).await;
    harness.provision(&Needs::of(Service::Directory).outbox().collections([("counters", Vec::new())])).await;
    let db = harness.database(Service::Directory).await;
    let counters = db.collection::<Document>("counters");

    lagging.lag(&harness, "commitTransaction", 100).await;
    let changed: Result<(), Error> = kit::change!(db.awaited(Duration::ZERO), tx => {
        counters.insert_one(doc! { "_id": 1 }).session(&mut tx.session).await?;
        let id: EmployeeId = kit::new_id();
        tx.emit(&EmployeeChanged(EmployeeState { id, version: 1, epoch: 0, deactivated_at: None, active: None })).await?;
        tx.is_audited_elsewhere();
        Ok(())
    });
    let error = changed.unwrap_err();
    assert!(error.is_away(), "{error:?}");
    assert_eq!(error.to_failure().code, Code::Unavailable, "nobody knows yet");

    lagging.catch_up(&harness).await;
    db.relay(&Shutdown::new());
    eventually("its event", async || (harness.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    assert_eq!(counters.count_documents(doc! {}).await.unwrap(), 1);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_meets_one_as_new_goes_by_what_a_majority_has() {
    let lagging = LaggingMongo::start().await;
    let harness = Harness::start_on(&lagging.connection_string()).await;
    harness.provision(&Needs::of(Service::Directory).collections([("copies", Vec::new())])).await;
    let copies = harness.database(Service::Directory).await.collection::<Document>("copies");
    let keep = async |version: i64| {
        mongo::replace_if_newer(&copies, Bson::Int32(1), version, &doc! { "_id": 1, "version": version }).await
    };
    assert!(keep(5).await.unwrap());

    // MongoDB reports a duplicate key and a write-concern error in the same reply.
    lagging.lag(&harness, "update", 2).await;
    assert!(!keep(3).await.unwrap(), "the newer one is on a majority");
    lagging.lag(&harness, "update", 1).await;
    assert!(keep(7).await.unwrap_err().is_away(), "it may not be on a majority");
    assert!(!keep(7).await.unwrap(), "it was");
    harness.finish().await;
}
