use std::time::Duration;

use bson::{Document, doc};
use contracts::{
    Action, AuditSubject, Audited, Code, EmployeeChanged, EmployeeId, EmployeeState, EventId, Failure, Millis, Service,
    Term, stream,
};
use kit::{Database, Error, Needs, Origin, Shutdown};
use testkit::{Harness, eventually};

fn changed(id: EmployeeId, version: i64) -> EmployeeChanged {
    EmployeeChanged(EmployeeState { id, version, epoch: 0, deactivated_at: None, active: None })
}

async fn database(harness: &Harness) -> Database {
    harness.provision(&Needs::of(Service::Directory).outbox().collections([("counters", Vec::new())])).await;
    harness.database(Service::Directory).await
}

/// Increments a counter and emits an event in one transaction. The transaction fails if `fail` is
/// set.
async fn raise(db: &Database, fail: bool) -> Result<(), Error> {
    let counters = db.collection::<Document>("counters");
    kit::change!(db.awaited(Duration::ZERO), tx => {
        let update = doc! { "$inc": { "n": 1 } };
        counters.update_one(doc! { "_id": 1 }, update).upsert(true).session(&mut tx.session).await?;
        tx.emit(&changed(kit::new_id(), 1)).await?;
        tx.is_audited_elsewhere();
        if fail { Err(Failure::new(Code::Conflict, "no").into()) } else { Ok(()) }
    })
}

async fn counter(db: &Database) -> i32 {
    let found = db.collection::<Document>("counters").find_one(doc! { "_id": 1 }).await.unwrap();
    found.map_or(0, |d| d.get_i32("n").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_and_its_event_are_both_there_or_neither() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    db.relay(&Shutdown::new());
    raise(&db, false).await.unwrap();
    assert!(raise(&db, true).await.is_err());
    eventually("one event", async || (harness.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    assert_eq!(counter(&db).await, 1);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_compete_all_land_once() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    db.relay(&Shutdown::new());
    let raises = (0..30).map(|_| {
        let db = db.clone();
        tokio::spawn(async move { raise(&db, false).await })
    });
    for raise in raises.collect::<Vec<_>>() {
        raise.await.unwrap().unwrap();
    }
    assert_eq!(counter(&db).await, 30);
    eventually("30 events", async || (harness.stream_messages(stream::EVENTS).await == 30).then_some(())).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_replica_that_died_are_published_by_another() {
    let harness = Harness::start().await;
    let died = database(&harness).await;
    raise(&died, false).await.unwrap();
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 0);
    let other = database(&harness).await;
    other.relay(&Shutdown::new());
    eventually("its event", async || (harness.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_relays_publish_an_event_once() {
    let harness = Harness::start().await;
    let shutdown = Shutdown::new();
    let mut replicas = Vec::new();
    for _ in 0..3 {
        let db = database(&harness).await;
        db.relay(&shutdown);
        replicas.push(db);
    }
    for db in replicas.iter().cycle().take(30) {
        raise(db, false).await.unwrap();
    }
    replicas[0].until_published(Duration::from_secs(10)).await.unwrap();
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 30);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_while_nats_is_away() {
    let mut harness = Harness::start().await;
    let db = database(&harness).await;
    db.relay(&Shutdown::new());
    harness.nats.kill().await;
    raise(&db, false).await.unwrap();
    harness.nats.start_again().await.unwrap();
    db.until_published(Duration::from_secs(30)).await.unwrap();
    assert_eq!(harness.stream_messages(stream::EVENTS).await, 1);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nats_refuses_holds_up_no_others() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    let outbox = db.collection::<Document>("outbox");
    // A row that is too large for NATS. An earlier version of the service could have written it,
    // or NATS may have had a higher limit then.
    let id = kit::mongo::value(&kit::new_id::<EventId>());
    let too_long = doc! { "_id": id, "subject": "evt.directory.v1.employee.1.changed", "payload": "x".repeat(1_100_000), "headers": {} };
    outbox.insert_one(too_long).await.unwrap();
    raise(&db, false).await.unwrap();
    db.relay(&Shutdown::new());
    eventually("the other event", async || (harness.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    raise(&db, false).await.unwrap();
    eventually("only it waits", async || {
        (harness.stream_messages(stream::EVENTS).await == 2 && outbox.count_documents(doc! {}).await.ok()? == 1)
            .then_some(())
    })
    .await;
    outbox.delete_many(doc! {}).await.unwrap();
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_event_is_too_long_for_nats_is_refused() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    let term = Term { from: Some(Millis(1_760_000_000_000)), until: Some(Millis(1_760_000_000_001)) };
    let employee_state = EmployeeState { active: Some(vec![term; 30_000]), ..changed(kit::new_id(), 1).0 };
    let outcome: Result<(), Error> = kit::change!(db.awaited(Duration::ZERO), tx => {
        tx.emit(&EmployeeChanged(employee_state.clone())).await?;
        tx.is_audited_elsewhere();
        Ok(())
    });
    assert_eq!(outcome.unwrap_err().to_failure().code, Code::Invalid);
    assert_eq!(db.collection::<Document>("outbox").count_documents(doc! {}).await.unwrap(), 0, "nothing is written");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_break_in_what_a_header_carries_stops_no_events() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    Origin::of_request("two\r\nlines".into()).scope(raise(&db, false)).await.unwrap();
    db.relay(&Shutdown::new());
    eventually("its event", async || (harness.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    raise(&db, false).await.unwrap();
    eventually("the next one", async || (harness.stream_messages(stream::EVENTS).await == 2).then_some(())).await;
    let stream = harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let message = stream.get_raw_message(1).await.unwrap();
    assert_eq!(message.headers.get("T3-Request-Id").unwrap().as_str(), "two  lines");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_others_are_told_of_and_the_audit_trail_is_not_is_refused() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    let outcome: Result<(), Error> = kit::change!(db.awaited(Duration::ZERO), tx => {
        tx.emit(&changed(kit::new_id(), 1)).await?;
        Ok(())
    });
    assert!(outcome.unwrap_err().to_string().contains("audit trail"));
    assert_eq!(db.collection::<Document>("outbox").count_documents(doc! {}).await.unwrap(), 0, "nothing is written");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_the_audit_trail_is_committed_with_its_change_and_says_who_asked() {
    let harness = Harness::start().await;
    let db = database(&harness).await;
    let subject = AuditSubject::new("counter", 1);
    let change = async {
        kit::change!(db.awaited(Duration::ZERO), tx => {
            tx.emit(&changed(kit::new_id(), 1)).await?;
            tx.audit(Action::EmployeeUpdated, subject.clone(), None).await
        })
    };
    let origin = Origin::of_request("a-request".into()).with_address(Some("192.0.2.7".into()));
    origin.with_actor(Some(contracts::Actor::Root)).scope(change).await.unwrap();
    db.relay(&Shutdown::new());
    eventually("two events", async || (harness.stream_messages(stream::EVENTS).await == 2).then_some(())).await;
    let stream = harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let message = stream.get_last_raw_message_by_subject("evt.directory.v1.audit.*.recorded").await.unwrap();
    let entry: Audited = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!((entry.subject, entry.action.as_str()), (subject, "employee.updated"));
    assert_eq!(entry.address.as_deref(), Some("192.0.2.7"));
    let header = |name: &str| message.headers.get(name).unwrap().to_string();
    assert_eq!(header("Nats-Msg-Id"), entry.id.to_string());
    assert_eq!((header("T3-Actor"), header("T3-Request-Id")), ("root".into(), "a-request".into()));
    harness.finish().await;
}
