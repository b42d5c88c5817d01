//! Tests that start and end real NATS and MongoDB servers in several ways.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod gone_with_us;
mod mongo;
mod nats;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use servers::{Mongo, MongoOptions, Nats, NatsOptions, Programs, on_stderr};
use tempfile::TempDir;

/// The time limit of one step: longer than any step takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

async fn start_nats(dir: impl Into<PathBuf>) -> Nats {
    let program = Programs::nats_server(&on_stderr()).await.unwrap();
    Nats::start(NatsOptions::new(program, dir)).await.unwrap()
}

async fn start_mongo(dir: impl Into<PathBuf>) -> Mongo {
    let program = Programs::mongod(&on_stderr()).await.unwrap();
    let started = Instant::now();
    let mongo = Mongo::start(MongoOptions::new(program, dir)).await.unwrap();
    eprintln!("mongod took {:?}", started.elapsed());
    mongo
}

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future.into_future()).await.unwrap()
}
