//! The floors: the speed of MongoDB and of NATS without the services, on the same servers in the
//! same run.

use std::time::{Duration, Instant};

use anyhow::Result;
use async_nats::jetstream;
use bson::{Document, doc};
use futures::{TryStreamExt, future::try_join_all};
use mongodb::{Collection, IndexModel, options::CreateCollectionOptions};
use uuid::Uuid;

use crate::{fleet::Fleet, measured::Measured};

/// The inserts that one floor measures: this many clients each insert this many documents at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    pub(super) clients: usize,
    pub(super) together: usize,
}

impl Floor {
    pub(super) fn name(self) -> String {
        match self.together {
            1 => format!("insert_one, {} clients", self.clients),
            many => format!("insert_many of {many}, {} clients", self.clients),
        }
    }
}

/// The collections for measuring MongoDB without the services: one with the present indexes and
/// layout of timetrack's windows, and one with those of the first version of timetrack, for
/// comparison with earlier runs.
pub(super) struct Floors {
    today: Collection<Document>,
    of_before: Collection<Document>,
    lasts: Duration,
}

impl Floors {
    pub(super) async fn prepare(fleet: &Fleet, lasts: Duration) -> Result<Self> {
        let mongo = fleet.mongo().await?;
        let today = as_ours(&mongo).await?;
        let of_before = mongo.database("bench_floor").collection::<Document>("windows_of_before");
        of_before.create_indexes(first_indexes()).await?;
        let floors = Self { today, of_before, lasts };
        let warm_up = Floor { clients: 16, together: 1 };
        insert(&floors.today, warm_up, Duration::from_secs(2), "").await?;
        insert(&floors.of_before, warm_up, Duration::from_secs(2), OF_BEFORE).await?;
        Ok(floors)
    }

    /// Measures the floor with the present indexes.
    pub(super) async fn today(&self, floor: Floor) -> Result<Measured> {
        insert(&self.today, floor, self.lasts, "").await
    }

    /// Measures the floor with the indexes of the first version of timetrack.
    pub(super) async fn of_before(&self, floor: Floor) -> Result<Measured> {
        insert(&self.of_before, floor, self.lasts, OF_BEFORE).await
    }
}

/// The suffix of the names of floors with the indexes of the first version of timetrack.
pub(super) const OF_BEFORE: &str = ", five indexes";

/// Creates a collection with the settings and indexes of timetrack's windows.
async fn as_ours(mongo: &mongodb::Client) -> Result<Collection<Document>> {
    let ours = mongo.database("t3_db_timetrack");
    let mut found = ours.list_collections().filter(doc! { "name": "windows" }).await?;
    let options = found.try_next().await?.map(|collection| collection.options);
    let storage = options.and_then(|options| options.storage_engine);
    let floor = mongo.database("bench_floor");
    floor
        .create_collection("windows")
        .with_options(CreateCollectionOptions::builder().storage_engine(storage).build())
        .await?;
    let windows = floor.collection::<Document>("windows");
    let indexes: Vec<IndexModel> = ours.collection::<Document>("windows").list_indexes().await?.try_collect().await?;
    let others: Vec<_> = indexes.into_iter().filter(|index| index.keys != doc! { "_id": 1 }).collect();
    windows.create_indexes(others).await?;
    Ok(windows)
}

fn first_indexes() -> Vec<IndexModel> {
    [
        doc! { "window.employeeId": 1, "window.start": 1, "_id": 1, "window.end": 1, "voided": 1 },
        doc! { "window.projectId": 1, "window.start": 1, "_id": 1 },
        doc! { "window.taskId": 1, "window.start": 1, "_id": 1 },
        doc! { "window.shiftId": 1, "window.start": 1, "_id": 1 },
        doc! { "window.start": 1, "_id": 1, "window.end": 1 },
    ]
    .map(kit::mongo::index)
    .into()
}

async fn insert(windows: &Collection<Document>, floor: Floor, lasts: Duration, suffix: &str) -> Result<Measured> {
    let Floor { clients, together } = floor;
    // The collection has the documents of earlier calls, so the numbers go on after these.
    let first = windows.estimated_document_count().await? as i64;
    let started = Instant::now();
    let document = if suffix == OF_BEFORE { first_document } else { document };
    let one = async |client: usize| -> Result<Vec<u32>> {
        let mut micros = Vec::new();
        let mut n = first;
        while started.elapsed() < lasts {
            let batch: Vec<_> = (0..together)
                .map(|_| {
                    n += 1;
                    document(client as i64, n)
                })
                .collect();
            let sent = Instant::now();
            match &batch[..] {
                [one] => drop(windows.insert_one(one).await?),
                many => drop(windows.insert_many(many).ordered(false).await?),
            }
            micros.push(sent.elapsed().as_micros() as u32);
        }
        Ok(micros)
    };
    let micros = try_join_all((0..clients).map(one)).await?.concat();
    let measured = Measured::of(&(floor.name() + suffix), micros, together, started.elapsed());
    eprintln!("{measured}");
    Ok(measured)
}

/// Returns a document like those in which timetrack stores windows.
fn document(client: i64, n: i64) -> Document {
    let uuid = || bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: Uuid::from_bytes(rand::random()).as_bytes().to_vec(),
    };
    let start = 1_262_304_000_000 + n * 1_000;
    doc! {
        "_id": uuid(), "revision": 1_i64, "voided": false,
        "window": {
            "employeeId": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: Uuid::from_u128(client as u128).as_bytes().to_vec() },
            "shiftId": Uuid::from_bytes(rand::random()).to_string(),
            "start": start, "end": start + 1_000, "timezoneOffset": 3_600_000_i64,
            "projectId": uuid(), "taskId": uuid(), "taskStatus": "To Do", "taskPriority": "Medium",
            "note": "benchmark", "billable": true, "paid": false, "billRate": 500_000_i64,
            "computer": "bench-pc", "user": "bench", "domain": "corp", "os": "linux",
            "osVersion": "6.1", "hwid": "0f1e2d3c4b5a", "createdAt": start,
        },
        "layout": 2,
    }
}

/// Returns a document like those in which the first version of timetrack stored windows.
fn first_document(client: i64, n: i64) -> Document {
    let uuid = || bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: Uuid::from_bytes(rand::random()).as_bytes().to_vec(),
    };
    let start = 1_262_304_000_000 + n * 1_000;
    doc! {
        "_id": uuid(), "revision": 1_i64, "hash": uuid(), "voided": false,
        "window": {
            "id": uuid(), "employeeId": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: Uuid::from_u128(client as u128).as_bytes().to_vec() },
            "shiftId": Uuid::from_bytes(rand::random()).to_string(), "organizationId": "default-org",
            "type": "tracked", "start": start, "end": start + 1_000, "timezoneOffset": 3_600_000_i64, "startTranslated": start, "endTranslated": start,
            "negativeTime": 0_i64, "projectId": uuid(), "taskId": uuid(), "taskStatus": "To Do", "taskPriority": "Medium",
            "note": "benchmark", "billable": true, "overtime": false, "paid": false, "billRate": 500_000_i64, "overtimeBillRate": null,
            "payRate": null, "overtimePayRate": null, "computer": "bench-pc", "user": "bench", "domain": "corp", "os": "linux",
            "osVersion": "6.1", "hwid": "0f1e2d3c4b5a", "createdAt": start, "updatedAt": start,
        },
    }
}

/// Measures how fast JetStream acknowledges messages, with 64 publishers at a time.
pub(super) async fn publish(client: async_nats::Client, lasts: Duration) -> Result<Measured> {
    let jetstream = jetstream::new(client);
    let config = jetstream::stream::Config {
        name: "BENCH_FLOOR".into(),
        subjects: vec!["bench.floor".into()],
        max_bytes: 1 << 30,
        ..Default::default()
    };
    jetstream.create_stream(config).await?;
    let started = Instant::now();
    let payload = bytes::Bytes::from(vec![b'x'; 600]);
    let one = async |_| -> Result<Vec<u32>> {
        let mut micros = Vec::new();
        while started.elapsed() < lasts {
            let sent = Instant::now();
            jetstream.publish("bench.floor", payload.clone()).await?.await?;
            micros.push(sent.elapsed().as_micros() as u32);
        }
        Ok(micros)
    };
    let micros = try_join_all((0..64).map(one)).await?.concat();
    let measured = Measured::of("JetStream publish and acknowledge, 64 at once", micros, 1, started.elapsed());
    jetstream.delete_stream("BENCH_FLOOR").await?;
    eprintln!("{measured}");
    Ok(measured)
}
