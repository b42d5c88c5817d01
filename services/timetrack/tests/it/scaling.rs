//! Tests with workers as processes of their own, which are started and ended while windows arrive.

use std::{
    collections::HashSet,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bson::{Document, doc};
use contracts::{INGEST_WINDOWS, IngestBatch, Secret, Service, WindowId, WindowsRecorded, stream};
use rustix::process::{Pid, Signal, kill_process};
use testkit::{Harness, eventually_within};

use crate::support::Fixture;

/// A time limit that is longer than a redelivery takes on a slow machine.
const BOUND: Duration = Duration::from_secs(90);
const MESSAGES: i64 = 300;
const WINDOWS: i64 = 4;

/// The process of a worker. It is killed when this value is dropped.
struct Worker(Child);

impl Worker {
    async fn start(harness: &Harness) -> Self {
        let settings = harness.settings_of(Service::Timetrack).await;
        let mut worker = Command::new(env!("CARGO_BIN_EXE_timetrack"));
        let secret = |secret: &Option<Secret>| secret.as_ref().unwrap().expose().to_owned();
        worker.env("NATS_URL", &settings.nats.nats_url).env("NATS_NKEY", secret(&settings.nats.nats_nkey));
        worker
            .env("MONGO_PASSWORD", secret(&settings.mongo.mongo_password))
            .env("MONGO_DB_NAME", &settings.mongo.mongo_db_name);
        worker.env("MONGO_CONNECTION_STRING", settings.mongo.mongo_connection_string.expose());
        worker.env("T3_ENV", "development").env("LOG_LEVEL", "warn").stdout(Stdio::null());
        Self(worker.spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The process may have ended already, and the test is over. So errors are ignored.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_come_and_go_under_load_lose_and_double_nothing() {
    let mut fixture = Fixture::with_ann().await;
    fixture.timetrack.take().unwrap().stop().await;
    let windows = fixture.harness.database(Service::Timetrack).await.collection::<Document>("windows");
    let (killed, mut stopped) = (Worker::start(&fixture.harness).await, Worker::start(&fixture.harness).await);
    let mut sent = HashSet::new();
    let mut others = Vec::new();
    for n in 0..MESSAGES {
        let items: Vec<_> = (0..WINDOWS).map(|hour| fixture.window(n * WINDOWS + hour)).collect();
        sent.extend(items.iter().map(|item| item.id));
        let payload = serde_json::to_vec(&IngestBatch { items }).unwrap();
        fixture.harness.bus().jetstream.publish(INGEST_WINDOWS, payload.into()).await.unwrap().await.unwrap();
        match n {
            100 => {
                // The windows are read from the database, because a worker that has just started
                // may not answer requests yet.
                eventually_within(BOUND, "some are recorded", async || windows.find_one(doc! {}).await.unwrap()).await;
                killed.signal(Signal::KILL);
                others.push(Worker::start(&fixture.harness).await);
            }
            200 => {
                stopped.signal(Signal::TERM);
                others.push(Worker::start(&fixture.harness).await);
            }
            _ => {}
        }
    }
    eventually_within(BOUND, "the queue is empty", async || {
        (fixture.harness.stream_messages(stream::INGEST).await == 0).then_some(())
    })
    .await;
    eventually_within(Duration::from_secs(25), "SIGTERM ends a worker", async || stopped.0.try_wait().unwrap()).await;
    let stored = windows.distinct("_id", doc! {}).await.unwrap();
    assert_eq!(stored.len(), sent.len(), "each window once");
    assert_eq!(announced(&fixture).await, sent, "analytics hear of each");
    assert_eq!(fixture.harness.stream_messages(stream::DEAD).await, 0);
}

/// The ids of all windows in published events.
async fn announced(fixture: &Fixture) -> HashSet<WindowId> {
    let events = fixture.harness.bus().jetstream.get_stream(stream::EVENTS).await.unwrap();
    let (mut windows, mut next) = (HashSet::new(), 1);
    while let Ok(message) = events.direct_get_next_for_subject("evt.timetrack.>", Some(next)).await {
        let payload = kit::decompressed(&message.payload, Some(&message.headers)).unwrap();
        let event: WindowsRecorded = serde_json::from_slice(&payload).unwrap();
        windows.extend(event.windows.iter().map(|fact| fact.id));
        next = message.sequence + 1;
    }
    windows
}
