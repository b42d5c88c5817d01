//! Measures the bytes that windows take on disk, for docs/scale.md.

use std::time::{Duration, Instant};

use bson::{Document, RawDocumentBuf, doc};
use contracts::{DAY, HOUR, Service};
use futures::TryStreamExt;
use mongodb::Collection;
use testkit::{Harness, start_mongo};
use timetrack::migrate;

use crate::{layouts::of_first_version, support::NOON};

const EMPLOYEES: u128 = 64;
const WINDOWS: i64 = 150_000;
const MINUTE: i64 = HOUR / 60;

/// The document of a window of one minute, in layout 1.
fn window(n: i64) -> Document {
    let (employee, minute) = (n as u128 % EMPLOYEES, n / EMPLOYEES as i64);
    let uuid = |what: &str| uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, what.as_bytes());
    let (task, start) = (employee * 7 + minute as u128 / 120, NOON + minute * MINUTE);
    let created = start + MINUTE + n % 1_999;
    let window = serde_json::json!({
        "id": uuid(&format!("window {n}")), "employeeId": uuid(&format!("employee {employee}")),
        "shiftId": uuid(&format!("shift {employee} {}", start / DAY)), "organizationId": "default-org",
        "type": "tracked", "start": start, "end": start + MINUTE, "timezoneOffset": 2 * HOUR,
        "startTranslated": start - 2 * HOUR, "endTranslated": start + MINUTE - 2 * HOUR, "negativeTime": 0,
        "projectId": uuid(&format!("project {}", task % 8)), "taskId": uuid(&format!("task {}", task % 32)),
        "taskStatus": "To Do", "taskPriority": "Medium", "note": null, "billable": true, "overtime": false,
        "paid": false, "billRate": 50, "overtimeBillRate": null, "payRate": 30, "overtimePayRate": null,
        "computer": format!("pc-{employee}"), "user": format!("user{employee}"), "domain": null, "os": "linux",
        "osVersion": "6.1", "hwid": format!("0f1e2d3c4b{employee:02x}"), "createdAt": created, "updatedAt": created,
    });
    let hash = contracts::ContentHash(uuid(&format!("hash {n}")));
    of_first_version(&serde_json::from_value(window).unwrap(), hash)
}

/// Inserts documents in groups of 64, as workers do. Returns the time that this took.
async fn insert(windows: &Collection<RawDocumentBuf>, documents: &[RawDocumentBuf]) -> Duration {
    let began = Instant::now();
    for some in documents.chunks(EMPLOYEES as usize) {
        windows.insert_many(some).ordered(false).await.unwrap();
    }
    began.elapsed()
}

/// The bytes per window: of its document in memory, of its document on disk, and of its index
/// entries on disk.
async fn bytes(database: &mongodb::Database) -> [i64; 3] {
    database.client().database("admin").run_command(doc! { "fsync": 1 }).await.unwrap();
    let stats = database.run_command(doc! { "collStats": "windows" }).await.unwrap();
    let number = |field| stats.get_i64(field).or_else(|_| stats.get_i32(field).map(i64::from)).unwrap();
    ["size", "storageSize", "totalIndexSize"].map(|field| number(field) / WINDOWS)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, and measures: run it alone, with --nocapture"]
async fn what_a_window_takes_in_each_layout() {
    let folder = tempfile::tempdir().unwrap();
    let mongo = start_mongo(folder.path()).await;
    let harness = Harness::start_on(&mongo.connection_string()).await;
    harness.provision(&timetrack::needs()).await;
    let windows = harness.database(Service::Timetrack).await.collection::<RawDocumentBuf>("windows");
    let url = harness.settings().mongo.mongo_connection_string.expose().to_owned();
    let client = kit::mongo::connect(&url, None, "bytes").await.unwrap();
    let database = client.database(&windows.namespace().db);
    let first: Vec<_> = (0..WINDOWS).map(|n| RawDocumentBuf::try_from(&window(n)).unwrap()).collect();
    let took = insert(&windows, &first).await;
    println!("layout 1: {:?} bytes a window; inserted in {took:?}", bytes(&database).await);

    let began = Instant::now();
    migrate(&harness.deps(Service::Timetrack).await, 100, |_| {}).await.unwrap();
    println!("migrated in {:?}: {:?} bytes a window", began.elapsed(), bytes(&database).await);
    let found = windows.find(doc! {}).sort(doc! { "window.start": 1, "_id": 1 }).await.unwrap();
    let second: Vec<_> = found.try_collect().await.unwrap();
    windows.drop().await.unwrap();
    harness.provision(&timetrack::needs()).await;
    let took = insert(&windows, &second).await;
    println!("layout 2: {:?} bytes a window; inserted in {took:?}", bytes(&database).await);
}
