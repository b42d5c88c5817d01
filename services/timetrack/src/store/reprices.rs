use bson::doc;
use contracts::{Actor, Millis, RepriceFilter, RepriceId, RepriceJob, RepriceState, SECOND, WindowId};
use kit::{Database, Error, Origin, Shape, Tx, mongo};
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

/// How long a job belongs to the process that works on it, in milliseconds, after each step.
const LEASE: i64 = 30 * SECOND;

/// A job that prices windows anew, and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Repricing {
    #[serde(rename = "_id")]
    pub(crate) id: RepriceId,
    pub(crate) filter: RepriceFilter,
    /// How many windows were to get another price, and how many there were to look at.
    pub(crate) count: i64,
    pub(crate) total: i64,
    /// The last window that is done.
    pub(crate) after: Option<WindowId>,
    /// How many were looked at, have another price, would have one and are settled.
    pub(crate) seen: i64,
    pub(crate) changed: i64,
    pub(crate) settled: i64,
    pub(crate) done: bool,
    asked: Millis,
    finished: Option<Millis>,
    /// Who asked for it, by which HTTP request and from which address.
    by: Option<Actor>,
    request_id: Option<String>,
    address: Option<String>,
    /// Until when nobody else goes on with it.
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

    /// All windows are done.
    pub(crate) fn finish(&mut self, now: Millis) {
        (self.done, self.finished) = (true, Some(now));
    }

    /// Who asked for it, and by what.
    pub(crate) fn origin(&self) -> Origin {
        let origin = self.request_id.clone().map(Origin::of_request).unwrap_or_default();
        origin.with_address(self.address.clone()).with_actor(self.by)
    }

    /// What the API shows of it.
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

/// The jobs that price windows anew, so that one goes on after a crash exactly where it was.
#[derive(Clone, Debug)]
pub(crate) struct RepriceStore(Collection<Repricing>);

impl RepriceStore {
    pub(super) fn shape() -> Shape {
        ("reprices", vec![mongo::index(doc! { "done": 1, "lease": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("reprices"))
    }

    /// Stores a job, unless it is there; says whether it was not.
    pub(crate) async fn begin(&self, tx: &mut Tx<'_>, job: &Repricing) -> Result<bool, Error> {
        let this = doc! { "_id": mongo::value(&job.id) };
        if self.0.find_one(this).session(&mut tx.session).await?.is_some() {
            return Ok(false);
        }
        self.0.insert_one(job).session(&mut tx.session).await?;
        Ok(true)
    }

    /// Notes a step, together with what it changed. Where somebody else has gone on with the job,
    /// nothing is noted and the step must not be committed.
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

    /// Takes over a job whose process has died.
    pub(crate) async fn take_over(&self, now: Millis) -> Result<Option<Repricing>, Error> {
        let left = doc! { "done": false, "lease": { "$lt": now.0 } };
        let lease = doc! { "$set": { "lease": (now + LEASE).0 } };
        Ok(self.0.find_one_and_update(left, lease).return_document(ReturnDocument::After).await?)
    }

    /// How a job stands.
    pub(crate) async fn find(&self, id: RepriceId) -> Result<Option<Repricing>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).await?)
    }
}
