//! The floor F: the time of one request over NATS plus the time of one read from MongoDB. No query
//! can be faster, because each query needs both.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bson::{Document, doc};
use futures::StreamExt;
use serde::Serialize;

use crate::measured::Measured;

const SUBJECT: &str = "bench.floor";
/// The number of documents that are read, one after the other.
const DOCUMENTS: i32 = 1_000;
/// The number of requests that are sent before the measurement, so that connections are open and
/// caches are filled.
const WARM_UP: usize = 200;

/// The median time of one request over NATS and of one read by id from MongoDB, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Floor {
    nats: f64,
    mongo: f64,
}

impl Floor {
    /// Measures requests over NATS, and then reads from MongoDB, one at a time and for `lasts`
    /// each.
    pub(crate) async fn measure(nats: &async_nats::Client, mongo: &mongodb::Client, lasts: Duration) -> Result<Self> {
        Ok(Self { nats: request(nats, lasts).await?, mongo: point_read(mongo, lasts).await? })
    }

    /// Returns the sum of both times, in milliseconds.
    pub(crate) fn millis(&self) -> f64 {
        self.nats + self.mongo
    }
}

impl std::fmt::Display for Floor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { nats, mongo } = self;
        write!(f, "F {:.3} ms: {nats:.3} ms over NATS, {mongo:.3} ms in MongoDB", self.millis())
    }
}

async fn request(client: &async_nats::Client, lasts: Duration) -> Result<f64> {
    let mut requests = client.subscribe(SUBJECT).await?;
    let payload = bytes::Bytes::from(vec![b'x'; 200]);
    let (answering, reply) = (client.clone(), payload.clone());
    let responder = tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let Some(to) = request.reply else { continue };
            if answering.publish(to, reply.clone()).await.is_err() {
                break;
            }
        }
    });
    let p50 =
        p50(lasts, async || client.request(SUBJECT, payload.clone()).await.map(drop).context("NATS does not reply"))
            .await;
    responder.abort();
    p50
}

async fn point_read(client: &mongodb::Client, lasts: Duration) -> Result<f64> {
    let database = client.database("bench_floor");
    let points = database.collection::<Document>("points");
    points.insert_many((0..DOCUMENTS).map(|n| doc! { "_id": n, "text": "x".repeat(500) })).await?;
    let mut next = 0;
    let p50 = p50(lasts, async || {
        next = (next + 7) % DOCUMENTS;
        points.find_one(doc! { "_id": next }).await?.context("a document is missing")?;
        Ok(())
    })
    .await;
    database.drop().await?;
    p50
}

async fn p50(lasts: Duration, mut one: impl AsyncFnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..WARM_UP {
        one().await?;
    }
    let (started, mut micros) = (Instant::now(), Vec::new());
    while started.elapsed() < lasts {
        let asked = Instant::now();
        one().await?;
        micros.push(asked.elapsed().as_micros() as u32);
    }
    Ok(Measured::of("floor", micros, 1, started.elapsed()).p50)
}
