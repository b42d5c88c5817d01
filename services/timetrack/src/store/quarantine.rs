use bson::{Bson, Document, doc};
use contracts::{Code, EmployeeId, IngestItem, Millis, QuarantineCursor, WindowId};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// A window that may not be recorded, or not yet, with the reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    #[serde(rename = "_id")]
    key: String,
    pub(crate) window_id: WindowId,
    pub(crate) item: IngestItem,
    /// Why.
    pub(crate) code: Code,
    /// Whether it may only be early, and is tried again.
    pub(crate) waiting: bool,
    /// Since when.
    pub(crate) since: Millis,
}

impl Held {
    pub(crate) fn new(item: IngestItem, code: Code, waiting: bool, since: Millis) -> Self {
        Self { key: key(item.employee_id, item.id), window_id: item.id, item, code, waiting, since }
    }
}

/// Two employees may hold the same id: none can touch what belongs to the other.
fn key(employee: EmployeeId, window: WindowId) -> String {
    format!("{employee}_{window}")
}

/// The windows that are held back: nothing that was taken is thrown away.
#[derive(Clone, Debug)]
pub(crate) struct QuarantineStore(Collection<Held>);

impl QuarantineStore {
    pub(super) fn shape() -> Shape {
        let by_id = mongo::index(doc! { "window_id": 1 });
        let by_waiting = mongo::index(doc! { "waiting": 1, "since": 1 });
        let by_age = mongo::index(doc! { "since": 1, "_id": 1 });
        ("quarantine", vec![by_id, by_waiting, by_age])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("quarantine"))
    }

    /// Holds a window. One that waits already has waited since it first came.
    pub(crate) async fn hold(&self, held: &Held) -> Result<(), Error> {
        let set = doc! { "$set": { "waiting": held.waiting, "code": mongo::value(&held.code) } };
        let kept = self.0.update_one(doc! { "_id": &held.key, "waiting": true }, set).await?;
        if kept.matched_count == 0 {
            self.0.replace_one(doc! { "_id": &held.key }, held).upsert(true).await?;
        }
        Ok(())
    }

    /// Lets windows go that are recorded now. Reads first: hardly ever is there anything to write.
    pub(crate) async fn release(&self, windows: &[(EmployeeId, WindowId)]) -> Result<(), Error> {
        let keys: Vec<Bson> = windows.iter().map(|(employee, window)| key(*employee, *window).into()).collect();
        let these = doc! { "_id": { "$in": keys } };
        if self.0.find_one(these.clone()).await?.is_some() {
            self.0.delete_many(these).await?;
        }
        Ok(())
    }

    /// How many windows are held, and how many of them wait; the first without counting.
    pub(crate) async fn sizes(&self) -> Result<(u64, u64), Error> {
        let waiting = self.0.count_documents(doc! { "waiting": true }).await?;
        Ok((self.0.estimated_document_count().await?, waiting))
    }

    /// The windows that wait, the oldest first.
    pub(crate) async fn waiting(&self, most: i64) -> Result<Vec<Held>, Error> {
        let oldest = self.0.find(doc! { "waiting": true }).sort(doc! { "since": 1 }).limit(most).await?;
        Ok(oldest.try_collect().await?)
    }

    /// All windows that are held, in the order of (since, employee, window).
    pub(crate) async fn all(
        &self,
        after: Option<QuarantineCursor>,
    ) -> Result<impl Stream<Item = mongodb::error::Result<Held>> + use<>, Error> {
        let filter = after.map_or_else(Document::new, |after| {
            let later = doc! { "since": { "$gt": after.since.0 } };
            let same = doc! { "since": after.since.0, "_id": { "$gt": key(after.employee_id, after.id) } };
            doc! { "$or": [later, same] }
        });
        Ok(self.0.find(filter).sort(doc! { "since": 1, "_id": 1 }).await?)
    }

    /// What is held of a window: of this employee's, or of anybody's.
    pub(crate) async fn find(&self, window: WindowId, employee: Option<EmployeeId>) -> Result<Option<Held>, Error> {
        let filter = match employee {
            Some(employee) => doc! { "_id": key(employee, window) },
            None => doc! { "window_id": mongo::value(&window) },
        };
        Ok(self.0.find_one(filter).await?)
    }
}
