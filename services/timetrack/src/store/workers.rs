use bson::{Bson, doc};
use contracts::EventId;
use kit::{Database, Error, Layouts, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::stored_window::WINDOWS;

/// A worker counts as dead after this time without a heartbeat, in milliseconds.
pub(crate) const LEASE: i64 = 10_000;
/// The record of a dead worker is removed after this time, in milliseconds.
const FORGOTTEN: i64 = 600_000;

/// A process that records windows.
#[derive(Debug, Serialize, Deserialize)]
struct Worker {
    #[serde(rename = "_id")]
    id: EventId,
    /// The time of its last heartbeat, by the database's clock.
    seen: bson::DateTime,
    /// The sequence in the stream of events up to which it has read settlements, with no earlier batch still in
    /// progress.
    heard: i64,
    /// The newest layout of windows that it reads, and the one that it writes. Processes of earlier versions store
    /// neither, and know only the first.
    reads: Option<i32>,
    writes: Option<i32>,
}

/// The processes that record windows, and how far each has read settlements.
#[derive(Clone, Debug)]
pub(crate) struct WorkerStore(Collection<Worker>, Layouts);

impl WorkerStore {
    pub(super) fn shape() -> Shape {
        ("workers", Vec::new())
    }

    pub(super) fn open(db: &Database, layouts: Layouts) -> Self {
        Self(db.collection("workers"), layouts)
    }

    /// Stores the heartbeat of this worker: how far it has read, and its layouts.
    pub(crate) async fn beat(&self, id: EventId, heard: u64) -> Result<(), Error> {
        let so_far = doc! { "heard": heard as i64, "reads": WINDOWS.newest(), "writes": self.1.written(&WINDOWS) };
        let said = doc! { "$currentDate": { "seen": true }, "$set": so_far };
        self.0.update_one(doc! { "_id": mongo::value(&id) }, said).upsert(true).await?;
        Ok(())
    }

    /// Removes this worker, which has stopped, and workers that have long been dead.
    pub(crate) async fn leave(&self, id: EventId) -> Result<(), Error> {
        let dead = doc! { "$expr": { "$lt": ["$seen", before(FORGOTTEN)] } };
        self.0.delete_many(doc! { "$or": [{ "_id": mongo::value(&id) }, dead] }).await?;
        Ok(())
    }

    /// Whether a worker that may be alive has not read up to this sequence.
    pub(crate) async fn any_behind(&self, place: u64) -> Result<bool, Error> {
        let behind = doc! {
            "heard": { "$lt": place as i64 },
            "$expr": { "$gte": ["$seen", before(LEASE)] },
        };
        Ok(self.0.find_one(behind).await?.is_some())
    }

    /// Whether a worker that may be alive cannot read the newest layout of windows.
    pub(crate) async fn any_reads_older(&self) -> Result<bool, Error> {
        self.any_older("reads").await
    }

    /// Whether a worker that may be alive writes an earlier layout of windows.
    pub(crate) async fn any_writes_older(&self) -> Result<bool, Error> {
        self.any_older("writes").await
    }

    async fn any_older(&self, what: &str) -> Result<bool, Error> {
        let older = doc! {
            what: { "$not": { "$gte": WINDOWS.newest() } },
            "$expr": { "$gte": ["$seen", before(LEASE)] },
        };
        Ok(self.0.find_one(older).await?.is_some())
    }
}

/// The moment this many milliseconds ago, by the database's clock.
fn before(millis: i64) -> Bson {
    doc! { "$subtract": ["$$NOW", millis] }.into()
}
