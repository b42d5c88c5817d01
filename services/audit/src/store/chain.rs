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

/// How often a write is repeated when other replicas write at the same time.
const TRIES: usize = 50;

/// The entries. The sequence number is the `_id`, so that only one of two replicas can take it.
#[derive(Clone, Debug)]
pub(crate) struct ChainStore {
    pub(super) entries: Collection<Stored>,
    /// The collection of entries without a type: a document that was tampered with may not be an entry.
    pub(super) raw: Collection<RawDocumentBuf>,
}

/// The event id of a stored entry.
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

    /// The last entry.
    pub(crate) async fn head(&self) -> Result<Head, Error> {
        let Some(last) = self.entries.find_one(doc! {}).sort(doc! { "_id": -1 }).await? else {
            return Ok(Head::EMPTY);
        };
        let seq = last.seq;
        let last = Entry::try_from(last).map_err(|reason| anyhow!("entry {seq} cannot be read: {reason}"))?;
        Ok(Head::from(&last))
    }

    /// Appends facts that are not in the chain yet, with a journaled majority write. Gives those that were written.
    ///
    /// A duplicate key means that another replica was faster, with this sequence number or this fact. Then the
    /// rest is appended to the new end.
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

    /// The facts that are not in the chain yet.
    async fn unknown(&self, facts: &[Fact]) -> Result<Vec<Fact>, Error> {
        let these = doc! { "event": mongo::one_of(facts.iter().map(|fact| fact.event)) };
        let entries = self.entries.clone_with_type::<Known>();
        let found = entries.find(these).projection(doc! { "event": 1, "_id": 0 }).await?;
        let known: HashSet<EventId> = found.map_ok(|known| known.event).try_collect().await?;
        Ok(facts.iter().filter(|fact| !known.contains(&fact.event)).cloned().collect())
    }

    /// The number of entries with this action since that time.
    pub(crate) async fn count_since(&self, action: &str, since: i64) -> Result<u64, Error> {
        Ok(self.raw.count_documents(doc! { "action": action, "at": { "$gte": since } }).await?)
    }
}
