use std::time::Duration;

use bson::{Document, doc};
use contracts::{Code, EmployeeChanged, EmployeeId, Failure, Service, Standing, stream};
use kit::{Database, Error, Needs, Shutdown};
use testkit::{World, eventually};

fn changed(id: EmployeeId, version: i64) -> EmployeeChanged {
    EmployeeChanged(Standing { id, version, epoch: 0, deactivated_at: None, active: None })
}

async fn database(world: &World) -> Database {
    world.provision(&Needs::of(Service::Directory).outbox().collections([("counters", Vec::new())])).await;
    world.database(Service::Directory).await
}

/// Raises a counter and tells of it.
async fn raise(db: &Database, fail: bool) -> Result<(), Error> {
    let counters = db.collection::<Document>("counters");
    kit::change!(db.awaited(Duration::ZERO), tx => {
        let update = doc! { "$inc": { "n": 1 } };
        counters.update_one(doc! { "_id": 1 }, update).upsert(true).session(&mut tx.session).await?;
        tx.emit(&changed(kit::new_id(), 1)).await?;
        if fail { Err(Failure::new(Code::Conflict, "no").into()) } else { Ok(()) }
    })
}

async fn counter(db: &Database) -> i32 {
    let found = db.collection::<Document>("counters").find_one(doc! { "_id": 1 }).await.unwrap();
    found.map_or(0, |d| d.get_i32("n").unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_and_its_event_are_both_there_or_neither() {
    let world = World::start().await;
    let db = database(&world).await;
    db.relay(&Shutdown::new());
    raise(&db, false).await.unwrap();
    assert!(raise(&db, true).await.is_err());
    eventually("one event", async || (world.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    assert_eq!(counter(&db).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_compete_all_land_once() {
    let world = World::start().await;
    let db = database(&world).await;
    db.relay(&Shutdown::new());
    let raises = (0..30).map(|_| {
        let db = db.clone();
        tokio::spawn(async move { raise(&db, false).await })
    });
    for raise in raises.collect::<Vec<_>>() {
        raise.await.unwrap().unwrap();
    }
    assert_eq!(counter(&db).await, 30);
    eventually("30 events", async || (world.stream_messages(stream::EVENTS).await == 30).then_some(())).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_replica_that_died_are_published_by_another() {
    let world = World::start().await;
    let died = database(&world).await;
    raise(&died, false).await.unwrap();
    assert_eq!(world.stream_messages(stream::EVENTS).await, 0);
    let other = database(&world).await;
    other.relay(&Shutdown::new());
    eventually("its event", async || (world.stream_messages(stream::EVENTS).await == 1).then_some(())).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_relays_publish_an_event_once() {
    let world = World::start().await;
    let shutdown = Shutdown::new();
    let mut replicas = Vec::new();
    for _ in 0..3 {
        let db = database(&world).await;
        db.relay(&shutdown);
        replicas.push(db);
    }
    for db in replicas.iter().cycle().take(30) {
        raise(db, false).await.unwrap();
    }
    replicas[0].until_published(Duration::from_secs(10)).await.unwrap();
    assert_eq!(world.stream_messages(stream::EVENTS).await, 30);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_while_nats_is_away() {
    let mut world = World::start().await;
    let db = database(&world).await;
    db.relay(&Shutdown::new());
    world.nats.kill().await;
    raise(&db, false).await.unwrap();
    world.nats.start_again().await.unwrap();
    db.until_published(Duration::from_secs(30)).await.unwrap();
    assert_eq!(world.stream_messages(stream::EVENTS).await, 1);
    world.finish().await;
}
