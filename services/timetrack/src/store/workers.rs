use bson::{Bson, doc};
use contracts::EventId;
use kit::{Database, Error, Layouts, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::stored_window::WINDOWS;

/// After so long without a word, in milliseconds, a worker is taken for dead.
pub(crate) const LEASE: i64 = 10_000;
/// After so long nobody remembers it.
const FORGOTTEN: i64 = 600_000;

/// A process that records windows, by its own word.
#[derive(Debug, Serialize, Deserialize)]
struct Worker {
    #[serde(rename = "_id")]
    id: EventId,
    /// When it has last said so, by the database's clock.
    seen: bson::DateTime,
    /// The place in the stream of events up to which it has heard what is settled, and has nothing in hand
    /// that it began before.
    heard: i64,
    /// The newest layout of windows that it reads, and the one that it writes; processes of earlier versions
    /// say neither, and know the first.
    reads: Option<i32>,
    writes: Option<i32>,
}

/// The processes that record windows, and how far each has heard what is settled.
#[derive(Clone, Debug)]
pub(crate) struct WorkerStore(Collection<Worker>, Layouts);

impl WorkerStore {
    pub(super) fn shape() -> Shape {
        ("workers", Vec::new())
    }

    pub(super) fn open(db: &Database, layouts: Layouts) -> Self {
        Self(db.collection("workers"), layouts)
    }

    /// Says that this worker lives and has heard so far, and how it stores windows.
    pub(crate) async fn beat(&self, id: EventId, heard: u64) -> Result<(), Error> {
        let so_far = doc! { "heard": heard as i64, "reads": WINDOWS.newest(), "writes": self.1.written(&WINDOWS) };
        let said = doc! { "$currentDate": { "seen": true }, "$set": so_far };
        self.0.update_one(doc! { "_id": mongo::value(&id) }, said).upsert(true).await?;
        Ok(())
    }

    /// This worker has stopped; and those are forgotten that have long been dead.
    pub(crate) async fn leave(&self, id: EventId) -> Result<(), Error> {
        let dead = doc! { "$expr": { "$lt": ["$seen", before(FORGOTTEN)] } };
        self.0.delete_many(doc! { "$or": [{ "_id": mongo::value(&id) }, dead] }).await?;
        Ok(())
    }

    /// Whether some worker that may live has not heard up to this place.
    pub(crate) async fn any_behind(&self, place: u64) -> Result<bool, Error> {
        let behind = doc! {
            "heard": { "$lt": place as i64 },
            "$expr": { "$gte": ["$seen", before(LEASE)] },
        };
        Ok(self.0.find_one(behind).await?.is_some())
    }

    /// Whether some worker that may live cannot read windows in the newest layout.
    pub(crate) async fn any_reads_older(&self) -> Result<bool, Error> {
        self.any_older("reads").await
    }

    /// Whether some worker that may live writes windows in an earlier layout.
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

/// So many milliseconds ago, by the database's clock.
fn before(millis: i64) -> Bson {
    doc! { "$subtract": ["$$NOW", millis] }.into()
}
