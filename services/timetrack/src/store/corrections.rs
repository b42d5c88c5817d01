use bson::{Document, doc};
use contracts::{
    CorrectionId, CorrectionRequest, CorrectionSent, CorrectionStatus, EmployeeId, ListCorrections, Within,
};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The number of documents that MongoDB returns at once.
const BATCH: u32 = 250;

/// The document of a requested correction, with fields that the API does not return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredCorrection {
    #[serde(rename = "_id")]
    pub(crate) id: CorrectionId,
    pub(crate) request: CorrectionRequest,
    /// The request as it was sent, to recognise a repeated request.
    pub(crate) sent: CorrectionSent,
    /// The revision of the window to correct at the time of the request; none for new time.
    pub(crate) window_revision: Option<i64>,
}

/// The collection of requested corrections. No document is ever deleted.
#[derive(Clone, Debug)]
pub(crate) struct CorrectionStore(Collection<StoredCorrection>);

impl CorrectionStore {
    pub(super) fn shape() -> Shape {
        let by_age = mongo::index(doc! { "request.askedAt": -1, "_id": -1 });
        let by_status = mongo::index(doc! { "request.status": 1, "request.askedAt": -1, "_id": -1 });
        let by_employee = mongo::index(doc! { "request.employeeId": 1, "request.askedAt": -1, "_id": -1 });
        ("corrections", vec![by_age, by_status, by_employee])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("corrections"))
    }

    /// Finds one correction, of any employee.
    pub(crate) async fn find(&self, id: CorrectionId) -> Result<Option<StoredCorrection>, Error> {
        Ok(self.0.find_one(by_id(id)).await?)
    }

    /// Finds one correction, in a transaction that changes it.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: CorrectionId) -> Result<Option<StoredCorrection>, Error> {
        Ok(self.0.find_one(by_id(id)).session(&mut tx.session).await?)
    }

    /// Inserts a new correction.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, correction: &StoredCorrection) -> Result<(), Error> {
        self.0.insert_one(correction).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores a decided correction. If a concurrent transaction has decided since `load`, this one
    /// conflicts and is run again.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, correction: &StoredCorrection) -> Result<(), Error> {
        self.0.replace_one(by_id(correction.id), correction).session(&mut tx.session).await?;
        Ok(())
    }

    /// The number of undecided corrections of these employees.
    pub(crate) async fn count_asked(&self, employees: &[EmployeeId]) -> Result<u64, Error> {
        let asked = mongo::value(&CorrectionStatus::Asked);
        let these = doc! { "request.status": asked, "request.employeeId": mongo::one_of(employees) };
        Ok(self.0.count_documents(these).await?)
    }

    /// Lists corrections, the newest first: one more than a page has.
    pub(crate) async fn list(
        &self,
        asked: &ListCorrections,
        within: Option<Within>,
    ) -> Result<impl Stream<Item = mongodb::error::Result<CorrectionRequest>> + use<>, Error> {
        let mut all = Vec::new();
        if let Some(employee) = &asked.employee_id {
            all.push(doc! { "request.employeeId": mongo::value(employee) });
        }
        if let Some(within) = within {
            all.push(doc! { "request.employeeId": mongo::one_of(within.employees) });
        }
        if let Some(status) = &asked.status {
            all.push(doc! { "request.status": mongo::value(status) });
        }
        if let Some(after) = asked.after {
            all.push(doc! { "request.askedAt": { "$lte": after.asked_at.0 } });
            all.push(doc! { "$or": [
                { "request.askedAt": { "$lt": after.asked_at.0 } },
                { "_id": { "$lt": mongo::value(&after.id) } },
            ] });
        }
        let filter = if all.is_empty() {
            Document::new()
        } else {
            doc! { "$and": all }
        };
        let most = asked.limit.map_or(kit::PAGE_MOST, |limit| limit.min(kit::PAGE_MOST)) as i64 + 1;
        let newest = doc! { "request.askedAt": -1, "_id": -1 };
        let found = self.0.find(filter).sort(newest).limit(most).batch_size(BATCH).await?;
        Ok(found.map_ok(|stored| stored.request))
    }
}

fn by_id(id: CorrectionId) -> Document {
    doc! { "_id": mongo::value(&id) }
}
