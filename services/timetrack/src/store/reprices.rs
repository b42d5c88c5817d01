use bson::doc;
use contracts::{Actor, Millis, RepriceFilter, RepriceId, RepriceJob, RepriceState, SECOND, WindowId};
use kit::{Database, Error, Origin, Shape, Tx, mongo};
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

/// How long a job belongs to the process that runs it, counted from its last chunk, in
/// milliseconds.
const LEASE: i64 = 30 * SECOND;

/// The document of a repricing job, with its progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Repricing {
    #[serde(rename = "_id")]
    pub(crate) id: RepriceId,
    pub(crate) filter: RepriceFilter,
    /// The number of windows that would get another price. `total` is the number of windows to
    /// read.
    pub(crate) count: i64,
    pub(crate) total: i64,
    /// The id of the last window that is done.
    pub(crate) after: Option<WindowId>,
    /// The number of windows that were read. `changed` of them got another price; `settled` would
    /// have got another price, but their time is settled.
    pub(crate) seen: i64,
    pub(crate) changed: i64,
    pub(crate) settled: i64,
    pub(crate) done: bool,
    asked: Millis,
    finished: Option<Millis>,
    /// The actor of the request. `request_id` and `address` complete its origin.
    by: Option<Actor>,
    request_id: Option<String>,
    address: Option<String>,
    /// The moment after which another process may take over the job.
    lease: Millis,
}

impl Repricing {
    pub(crate) fn new(id: RepriceId, filter: RepriceFilter, count: usize, total: usize, now: Millis) -> Self {
        let origin = Origin::current();
        Self {
            id,
            filter,
            count: count as i64,
            total: total as i64,
            after: None,
            seen: 0,
            changed: 0,
            settled: 0,
            done: false,
            asked: now,
            finished: None,
            by: origin.actor(),
            request_id: origin.request_id,
            address: origin.address,
            lease: now + LEASE,
        }
    }

    /// Sets the job to done.
    pub(crate) fn finish(&mut self, now: Millis) {
        (self.done, self.finished) = (true, Some(now));
    }

    /// The origin of the request that started the job.
    pub(crate) fn origin(&self) -> Origin {
        let origin = self.request_id.clone().map(Origin::of_request).unwrap_or_default();
        origin.with_address(self.address.clone()).with_actor(self.by)
    }

    /// The job as the API returns it.
    pub(crate) fn shown(&self) -> RepriceJob {
        RepriceJob {
            id: self.id,
            state: if self.done { RepriceState::Done } else { RepriceState::Running },
            count: self.count as u64,
            changed: self.changed as u64,
            settled: self.settled as u64,
            seen: self.seen as u64,
            total: self.total as u64,
            started_at: self.asked,
            finished_at: self.finished,
        }
    }
}

/// The collection of repricing jobs. After a crash, a job continues from its stored progress.
#[derive(Clone, Debug)]
pub(crate) struct RepriceStore(Collection<Repricing>);

impl RepriceStore {
    pub(super) fn shape() -> Shape {
        ("reprices", vec![mongo::index(doc! { "done": 1, "lease": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("reprices"))
    }

    /// Inserts a job, unless it is stored already. Returns whether it was inserted.
    pub(crate) async fn begin(&self, tx: &mut Tx<'_>, job: &Repricing) -> Result<bool, Error> {
        let this = doc! { "_id": mongo::value(&job.id) };
        if self.0.find_one(this).session(&mut tx.session).await?.is_some() {
            return Ok(false);
        }
        self.0.insert_one(job).session(&mut tx.session).await?;
        Ok(true)
    }

    /// Stores the progress of a chunk, in the transaction of its changes. Returns false, and stores
    /// nothing, if another process has taken over the job: then the transaction must not be
    /// committed.
    pub(crate) async fn note(
        &self,
        tx: &mut Tx<'_>,
        job: &Repricing,
        was: Option<WindowId>,
        now: Millis,
    ) -> Result<bool, Error> {
        let before = doc! { "_id": mongo::value(&job.id), "after": mongo::value(&was), "done": false };
        let set = doc! {
            "after": mongo::value(&job.after), "seen": job.seen, "changed": job.changed, "settled": job.settled,
            "done": job.done, "finished": mongo::value(&job.finished), "lease": (now + LEASE).0,
        };
        let noted = self.0.update_one(before, doc! { "$set": set }).session(&mut tx.session).await?;
        Ok(noted.matched_count == 1)
    }

    /// Takes over a job whose lease has expired; none if there is no such job.
    pub(crate) async fn take_over(&self, now: Millis) -> Result<Option<Repricing>, Error> {
        let left = doc! { "done": false, "lease": { "$lt": now.0 } };
        let lease = doc! { "$set": { "lease": (now + LEASE).0 } };
        Ok(self.0.find_one_and_update(left, lease).return_document(ReturnDocument::After).await?)
    }

    /// Finds one job.
    pub(crate) async fn find(&self, id: RepriceId) -> Result<Option<Repricing>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).await?)
    }
}
