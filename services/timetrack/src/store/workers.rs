use bson::{Bson, doc};
use contracts::EventId;
use kit::{Database, Error, Layouts, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::stored_window::WINDOWS;

/// The time without a heartbeat after which a worker counts as dead, in milliseconds.
pub(crate) const LEASE: i64 = 10_000;
/// The time without a heartbeat after which the document of a worker is removed, in milliseconds.
const FORGOTTEN: i64 = 600_000;

/// The document of a worker: a process that records windows.
#[derive(Debug, Serialize, Deserialize)]
struct Worker {
    #[serde(rename = "_id")]
    id: EventId,
    /// The time of the last heartbeat, by MongoDB's clock.
    seen: bson::DateTime,
    /// The sequence number in EVENTS up to which this worker has read settlements, with no batch
    /// from before in progress.
    heard: i64,
    /// The newest layout of windows that this process reads. `writes` is the layout that it writes.
    /// Processes of earlier versions store neither, and know only layout 1.
    reads: Option<i32>,
    writes: Option<i32>,
}

/// The collection of workers, each with how far it has read settlements.
#[derive(Clone, Debug)]
pub(crate) struct WorkerStore(Collection<Worker>, Layouts);

impl WorkerStore {
    pub(super) fn shape() -> Shape {
        ("workers", Vec::new())
    }

    pub(super) fn open(db: &Database, layouts: Layouts) -> Self {
        Self(db.collection("workers"), layouts)
    }

    /// Stores a heartbeat of this worker, with how far it has read settlements, and its layouts.
    pub(crate) async fn beat(&self, id: EventId, heard: u64) -> Result<(), Error> {
        let so_far = doc! { "heard": heard as i64, "reads": WINDOWS.newest(), "writes": self.1.written(&WINDOWS) };
        let said = doc! { "$currentDate": { "seen": true }, "$set": so_far };
        self.0.update_one(doc! { "_id": mongo::value(&id) }, said).upsert(true).await?;
        Ok(())
    }

    /// Removes the document of this worker, which stops, and of workers that have been dead for ten
    /// minutes.
    pub(crate) async fn leave(&self, id: EventId) -> Result<(), Error> {
        let dead = doc! { "$expr": { "$lt": ["$seen", before(FORGOTTEN)] } };
        self.0.delete_many(doc! { "$or": [{ "_id": mongo::value(&id) }, dead] }).await?;
        Ok(())
    }

    /// The sequence number in EVENTS up to which every worker that is not dead has read
    /// settlements; none if there is no such worker.
    pub(crate) async fn heard_by_all(&self) -> Result<Option<u64>, Error> {
        let alive = doc! { "$expr": { "$gte": ["$seen", before(LEASE)] } };
        let last = self.0.find_one(alive).sort(doc! { "heard": 1 }).await?;
        Ok(last.map(|worker| worker.heard as u64))
    }

    /// Whether any worker that is not dead cannot read the newest layout of windows.
    pub(crate) async fn any_reads_older(&self) -> Result<bool, Error> {
        self.any_older("reads").await
    }

    /// Whether any worker that is not dead writes an earlier layout of windows.
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

/// The moment this many milliseconds ago by MongoDB's clock, as an expression.
fn before(millis: i64) -> Bson {
    doc! { "$subtract": ["$$NOW", millis] }.into()
}
