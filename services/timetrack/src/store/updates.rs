use bson::doc;
use contracts::{Actor, EventId, Millis, SECOND, UpdateWindows, WindowId};
use kit::{Database, Error, Origin, Shape, Tx, mongo};
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

/// How long a job belongs to the process that runs it, counted from its last chunk, in
/// milliseconds.
const LEASE: i64 = 30 * SECOND;

/// The document of a bulk update, with its progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UpdateJob {
    #[serde(rename = "_id")]
    pub(crate) id: EventId,
    pub(crate) request: UpdateWindows,
    /// When the update was requested. The changed windows get this time as their time of change.
    pub(crate) asked: Millis,
    /// The id of the last window that is done.
    pub(crate) after: Option<WindowId>,
    /// The number of windows that were changed so far.
    pub(crate) modified: i64,
    pub(crate) done: bool,
    /// The actor of the request; none in documents that earlier versions of the program wrote.
    #[serde(default)]
    by: Option<Actor>,
    /// The id of the HTTP request.
    #[serde(default)]
    request_id: Option<String>,
    /// The client's IP address.
    #[serde(default)]
    address: Option<String>,
    /// The moment after which another process may take over the job.
    lease: Millis,
}

impl UpdateJob {
    pub(crate) fn new(request: UpdateWindows, now: Millis) -> Self {
        let origin = Origin::current();
        Self {
            id: kit::new_id(),
            request,
            asked: now,
            after: None,
            modified: 0,
            done: false,
            by: origin.actor(),
            request_id: origin.request_id,
            address: origin.address,
            lease: now + LEASE,
        }
    }

    /// The origin of the request that started the job.
    pub(crate) fn origin(&self) -> Origin {
        let origin = self.request_id.clone().map(Origin::of_request).unwrap_or_default();
        origin.with_address(self.address.clone()).with_actor(self.by)
    }
}

/// The collection of bulk updates. After a crash, an update continues from its stored progress.
#[derive(Clone, Debug)]
pub(crate) struct UpdateStore(Collection<UpdateJob>);

impl UpdateStore {
    pub(super) fn shape() -> Shape {
        ("updates", vec![mongo::index(doc! { "done": 1, "lease": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("updates"))
    }

    pub(crate) async fn begin(&self, tx: &mut Tx<'_>, job: &UpdateJob) -> Result<(), Error> {
        self.0.insert_one(job).session(&mut tx.session).await?;
        Ok(())
    }

    /// Whether any update is running.
    pub(crate) async fn is_any_under_way(&self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        Ok(self.0.find_one(doc! { "done": false }).session(&mut tx.session).await?.is_some())
    }

    /// Stores the progress of a chunk, in the transaction of its changes. Returns false, and stores
    /// nothing, if another process has taken over the job: then the transaction must not be
    /// committed.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx<'_>,
        job: &UpdateJob,
        was: Option<WindowId>,
        now: Millis,
    ) -> Result<bool, Error> {
        let before = doc! { "_id": mongo::value(&job.id), "after": mongo::value(&was), "done": false };
        let set = doc! {
            "after": mongo::value(&job.after), "modified": job.modified, "done": job.done, "lease": (now + LEASE).0,
        };
        let noted = self.0.update_one(before, doc! { "$set": set }).session(&mut tx.session).await?;
        Ok(noted.matched_count == 1)
    }

    /// Takes over a job whose lease has expired; none if there is no such job.
    pub(crate) async fn take_over(&self, now: Millis) -> Result<Option<UpdateJob>, Error> {
        let left = doc! { "done": false, "lease": { "$lt": now.0 } };
        let lease = doc! { "$set": { "lease": (now + LEASE).0 } };
        Ok(self.0.find_one_and_update(left, lease).return_document(ReturnDocument::After).await?)
    }

    /// Finds one job.
    pub(crate) async fn find(&self, id: EventId) -> Result<Option<UpdateJob>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).await?)
    }
}
