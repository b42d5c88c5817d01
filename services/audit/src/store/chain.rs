use std::{collections::HashSet, time::Duration};

use anyhow::anyhow;
use bson::{RawDocumentBuf, doc};
use contracts::EventId;
use futures::TryStreamExt;
use kit::{Database, Error, Shape, mongo};
use mongodb::Collection;
use serde::Deserialize;

use super::stored::Stored;
use crate::domain::{Entry, Fact, Head, append};

/// How often appending is tried at most while other replicas append at the same time.
const TRIES: usize = 50;

/// The collection of entries. The sequence number is the `_id`, so only one of two replicas can
/// insert the entry with the next number.
#[derive(Clone, Debug)]
pub(crate) struct ChainStore {
    pub(super) entries: Collection<Stored>,
    /// The same collection with raw documents, for `verify`: a document that somebody has changed
    /// may not be readable as an entry.
    pub(super) raw: Collection<RawDocumentBuf>,
}

/// The projection of an entry that has only its event id.
#[derive(Deserialize)]
struct Known {
    event: EventId,
}

impl ChainStore {
    pub(super) fn shape() -> Shape {
        let by = |field: &str| mongo::index(doc! { field: 1, "_id": -1 });
        let lists = ["actor", "subject.id", "action", "requestId", "at"].map(by);
        ("entries", std::iter::once(mongo::unique(doc! { "event": 1 })).chain(lists).collect())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { entries: db.collection("entries"), raw: db.collection("entries") }
    }

    /// The last entry of the chain.
    pub(crate) async fn head(&self) -> Result<Head, Error> {
        let Some(last) = self.entries.find_one(doc! {}).sort(doc! { "_id": -1 }).await? else {
            return Ok(Head::EMPTY);
        };
        let seq = last.seq;
        let last = Entry::try_from(last).map_err(|reason| anyhow!("entry {seq} cannot be read: {reason}"))?;
        Ok(Head::from(&last))
    }

    /// Appends the facts that are not in the chain yet, with a journaled majority write. Returns
    /// the facts that were not in the chain.
    ///
    /// A duplicate key means that another replica has inserted this sequence number or this event
    /// first. Then the facts that are still missing are appended after the new last entry.
    pub(crate) async fn record(&self, facts: Vec<Fact>) -> Result<Vec<Fact>, Error> {
        let mut ids = HashSet::new();
        let all: Vec<Fact> = facts.into_iter().filter(|fact| ids.insert(fact.event)).collect();
        let mut left = self.unknown(&all).await?;
        let written = left.clone();
        for _ in 0..TRIES {
            if left.is_empty() {
                return Ok(written);
            }
            let entries = append(self.head().await?, left.iter().cloned());
            match self.entries.insert_many(entries.into_iter().map(Stored::from)).ordered(true).await {
                Ok(_) => return Ok(written),
                Err(error) if mongo::is_duplicate(&error) => {
                    left = self.unknown(&left).await?;
                    let [jitter] = kit::random_bytes::<1>();
                    tokio::time::sleep(Duration::from_millis(u64::from(jitter % 16))).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(anyhow!("others kept writing the audit trail").into())
    }

    /// The facts whose events are not in the chain yet.
    async fn unknown(&self, facts: &[Fact]) -> Result<Vec<Fact>, Error> {
        let these = doc! { "event": mongo::one_of(facts.iter().map(|fact| fact.event)) };
        let entries = self.entries.clone_with_type::<Known>();
        let found = entries.find(these).projection(doc! { "event": 1, "_id": 0 }).await?;
        let known: HashSet<EventId> = found.map_ok(|known| known.event).try_collect().await?;
        Ok(facts.iter().filter(|fact| !known.contains(&fact.event)).cloned().collect())
    }

    /// The number of entries with this action since that time, in milliseconds since 1970.
    pub(crate) async fn count_since(&self, action: &str, since: i64) -> Result<u64, Error> {
        Ok(self.raw.count_documents(doc! { "action": action, "at": { "$gte": since } }).await?)
    }
}
