//! Tests of the program `audit` as a process of its own: it is killed, or run with `verify`.

use std::{
    collections::BTreeSet,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use bson::doc;
use contracts::{Action, EventId, Secret, Service, stream};
use futures::future::join_all;
use testkit::{Harness, eventually_within};

use crate::trail::{Trail, audited, ids};

/// A time limit that is longer than the redelivery of an unacknowledged message takes on a slow
/// machine.
const BOUND: Duration = Duration::from_secs(90);

/// The command that starts the program with the settings of the harness.
async fn program(harness: &Harness) -> Command {
    let settings = harness.settings_of(Service::Audit).await;
    let secret = |secret: &Option<Secret>| secret.as_ref().unwrap().expose().to_owned();
    let mut program = Command::new(env!("CARGO_BIN_EXE_audit"));
    program.env("NATS_URL", &settings.nats.nats_url).env("NATS_NKEY", secret(&settings.nats.nats_nkey));
    program.env("MONGO_PASSWORD", secret(&settings.mongo.mongo_password));
    program.env("MONGO_DB_NAME", &settings.mongo.mongo_db_name);
    program.env("MONGO_CONNECTION_STRING", settings.mongo.mongo_connection_string.expose());
    program.env("T3_ENV", "development").env("LOG_LEVEL", "warn").env("OPS_ADDR", "127.0.0.1:0");
    program
}

/// A process of the service. It is killed when this value is dropped.
struct Replica(Child);

impl Replica {
    async fn start(harness: &Harness) -> Self {
        Self(program(harness).await.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // `kill` fails when the process has already ended, which is no error here.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_are_killed_while_they_write_lose_and_double_nothing() {
    let trail = Trail::without_service().await;
    trail.harness.provision(&audit::needs()).await;
    let stored = trail.stored().await;
    let all: Vec<_> = (0..600).map(|_| audited(Action::TaskUpdated)).collect();
    let (mut killed, mut other) = (Replica::start(&trail.harness).await, Replica::start(&trail.harness).await);
    for (n, some) in all.chunks(20).enumerate() {
        join_all(some.iter().map(|entry| trail.publish(entry))).await;
        if n % 10 == 5 {
            let so_far = stored.count_documents(doc! {}).await.unwrap();
            eventually_within(BOUND, "some more are written", async || {
                (stored.count_documents(doc! {}).await.ok()? > so_far || so_far == 20 * (n as u64 + 1)).then_some(())
            })
            .await;
            killed.0.kill().unwrap();
            killed = std::mem::replace(&mut other, Replica::start(&trail.harness).await);
        }
    }
    eventually_within(BOUND, "all are on the chain", async || {
        (stored.count_documents(doc! {}).await.ok()? >= all.len() as u64).then_some(())
    })
    .await;
    // The server redelivers the messages that a killed process has not acknowledged. Their entries
    // must not be written again.
    eventually_within(BOUND, "nothing is in hand", async || {
        let mut consumer = trail.consumer().await;
        let info = consumer.info().await.ok()?;
        (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
    })
    .await;
    let _running = trail.start_service().await;
    let entries = trail.entries(all.len()).await;
    assert_eq!(entries.len(), all.len(), "each once");
    let expected: BTreeSet<EventId> = all.iter().map(|entry| entry.id).collect();
    assert_eq!(ids(&entries).into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(trail.verify(None).await.unwrap().unwrap().to_string(), format!("600:{}", entries[0].hash));
    assert_eq!(trail.harness.stream_messages(stream::DEAD).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_prints_the_last_entry_and_ends_with_1_at_the_first_that_does_not_fit() {
    let (trail, _running) = Trail::start().await;
    for _ in 0..3 {
        trail.publish(&audited(Action::TaskUpdated)).await;
    }
    let last = format!("3:{}", trail.entries(3).await[0].hash);
    let verify = async |anchor: &str| -> (Option<i32>, String, String) {
        let mut program = program(&trail.harness).await;
        program.arg("verify").args(["--anchor", anchor]);
        let run = tokio::task::spawn_blocking(move || program.output());
        let Output { status, stdout, stderr } = run.await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    };
    assert_eq!(verify(&last).await, (Some(0), format!("{last}\n"), String::new()));
    let (code, _, complained) = verify(&format!("3:{}", "0".repeat(64))).await;
    assert!(code == Some(1) && complained.contains("entry 3 does not fit"), "{code:?} {complained}");
    let (code, _, complained) = verify("3").await;
    assert!(code == Some(2) && complained.contains("must be <seq>:<hash>"), "{code:?} {complained}");

    let change = doc! { "$set": { "actor": "service:projects" } };
    trail.stored().await.update_one(doc! { "_id": 2_i64 }, change).await.unwrap();
    let (code, printed, complained) = verify(&last).await;
    assert_eq!((code, printed.as_str()), (Some(1), ""));
    assert!(complained.contains("entry 2 does not fit"), "{complained}");
}
