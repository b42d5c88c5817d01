use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use bson::{Bson, Document, RawArrayBuf, RawBson, RawDocument, RawDocumentBuf, doc, raw::cstr, rawdoc};
use contracts::{Code, Failure};
use futures::TryStreamExt;
use mongodb::Collection;
use serde::Deserialize;
use tokio::time::sleep;

use crate::{
    Error, Layout,
    endpoints::ChainLine,
    layout_row::{Round, Row, row_of},
    mongo,
};

/// The number of documents in a batch.
const BATCH: i64 = 200;
/// How often a batch is tried at most while other processes change its documents, and the pause
/// between two tries.
const AGAIN: (u32, Duration) = (200, Duration::from_millis(10));
/// How often a failed step is repeated while MongoDB is unreachable, and the pause before each
/// repetition.
const TRIES: (u32, Duration) = (30, Duration::from_secs(1));
/// The longest pause after a batch.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// The progress of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrating {
    /// The name of the collection.
    pub collection: &'static str,
    /// The number of documents that this pass has read.
    pub seen: u64,
    /// The number of documents when this pass began.
    pub of: u64,
    /// The number of documents that this pass has rewritten.
    pub changed: u64,
}

/// Rewrites the documents of a collection that have an earlier layout.
///
/// A document is replaced only if it has not changed since it was read, so no concurrent change is
/// lost. Nothing is inserted, so a deleted document stays deleted.
pub(crate) struct Migration<'a> {
    layout: &'a Layout,
    documents: Collection<RawDocumentBuf>,
    rows: Collection<Row>,
}

/// MongoDB's reply to the command `update`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replaced {
    n: u64,
    #[serde(default)]
    write_errors: Vec<Document>,
    write_concern_error: Option<Document>,
}

impl<'a> Migration<'a> {
    pub(crate) fn new(layout: &'a Layout, documents: Collection<RawDocumentBuf>, rows: Collection<Row>) -> Self {
        Self { layout, documents, rows }
    }

    /// Repeats the pass over the collection until one pass has found nothing to rewrite.
    pub(crate) async fn run(&self, busy: u8, tell: &impl Fn(Migrating)) -> Result<(), Error> {
        let (tries, pause) = TRIES;
        let (mut failed, mut has_begun) = (0, false);
        loop {
            let began = Instant::now();
            match self.step(has_begun).await {
                Ok(Some(at)) => {
                    (failed, has_begun) = (0, true);
                    tell(at);
                    // When MongoDB is busy, a batch takes longer, and this pause grows in
                    // proportion.
                    sleep(rest(began.elapsed(), busy)).await;
                }
                Ok(None) => return Ok(()),
                Err(error) if error.is_away() && failed < tries => {
                    failed += 1;
                    let error = anyhow::Error::from(error);
                    tracing::warn!(error = %error.chain_line(), "the migration waits");
                    sleep(pause).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Rewrites the next batch, or begins the next pass, and returns the progress. None when a pass
    /// has found nothing to rewrite, in this process or in another one.
    async fn step(&self, has_begun: bool) -> Result<Option<Migrating>, Error> {
        let row = self.rows.find_one(row_of(self.layout)).await?;
        let round = match row.ok_or_else(|| anyhow!("nobody has raised the layout"))?.round {
            Some(round) => round,
            None if has_begun => return Ok(None),
            None => self.begin().await?,
        };
        let batch = self.batch(round.after.as_ref()).await?;
        let Some(last) = batch.last() else { return self.end(round).await };
        let (after, seen) = (id_of(last)?, batch.len() as i64);
        let changed = self.rewrite(batch).await?;
        self.note(round, after, seen, changed).await.map(Some)
    }

    async fn begin(&self) -> Result<Round, Error> {
        let round = self.new_round().await?;
        let mut none = row_of(self.layout);
        none.insert("round", Bson::Null);
        self.rows.update_one(none, doc! { "$set": { "round": mongo::value(&round) } }).await?;
        Ok(round)
    }

    async fn new_round(&self) -> Result<Round, Error> {
        Ok(Round { of: self.documents.estimated_document_count().await? as i64, ..Round::default() })
    }

    /// Reads the next documents in the order of their ids. All ids must have the same BSON type,
    /// because `$gt` matches only values of the same type.
    async fn batch(&self, after: Option<&Bson>) -> Result<Vec<RawDocumentBuf>, Error> {
        let after = after.map(|id| doc! { "_id": { "$gt": id } }).unwrap_or_default();
        Ok(self.documents.find(after).sort(doc! { "_id": 1 }).limit(BATCH).await?.try_collect().await?)
    }

    /// Replaces the documents of earlier layouts, and returns their number. A document that another
    /// process has changed since it was read is read and replaced again.
    async fn rewrite(&self, mut batch: Vec<RawDocumentBuf>) -> Result<i64, Error> {
        let (again, pause) = AGAIN;
        let mut changed = 0;
        for _ in 0..again {
            let mut replacements = Vec::new();
            for old in &batch {
                replacements.extend(self.layout.rewritten(old)?.map(|new| (old, new)));
            }
            let replaced = self.replace_unchanged(&replacements).await?;
            changed += replaced as i64;
            if replaced == replacements.len() as u64 {
                return Ok(changed);
            }
            sleep(pause).await;
            let ids: Vec<Bson> = replacements.iter().map(|(old, _)| id_of(old)).collect::<anyhow::Result<_>>()?;
            drop(replacements);
            batch = self.documents.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?;
        }
        Err(Failure::new(Code::Unavailable, "Too many changes of the same documents at once.").into())
    }

    /// Replaces the documents that have not changed since they were read, and returns their number.
    async fn replace_unchanged(&self, replacements: &[(&RawDocumentBuf, RawDocumentBuf)]) -> Result<u64, Error> {
        if replacements.is_empty() {
            return Ok(0);
        }
        let mut updates = RawArrayBuf::new();
        for (old, new) in replacements {
            let id = RawBson::try_from(id_of(old)?).context("an id")?;
            let is_as_read = rawdoc! { "$eq": ["$$ROOT", { "$literal": (*old).clone() }] };
            updates.push(rawdoc! { "q": { "_id": id, "$expr": is_as_read }, "u": new.clone() });
        }
        let mut command = rawdoc! { "update": self.documents.name(), "ordered": false };
        command.append(cstr!("writeConcern"), rawdoc! { "w": "majority", "j": true });
        command.append(cstr!("updates"), updates);
        let database = self.documents.client().database(&self.documents.namespace().db);
        let reply = database.run_raw_command(command).await?;
        let replaced: Replaced = bson::deserialize_from_document(reply).context("a reply that cannot be read")?;
        if let Some(error) = replaced.write_errors.first() {
            return Err(anyhow!("MongoDB refused a document: {error}").into());
        }
        match replaced.write_concern_error {
            Some(_) => Err(mongo::not_on_majority().into()),
            None => Ok(replaced.n),
        }
    }

    /// Adds to the progress of the pass. The position moves only if no other process has moved it.
    async fn note(&self, round: Round, after: Bson, seen: i64, changed: i64) -> Result<Migrating, Error> {
        if changed > 0 {
            let mut under_way = row_of(self.layout);
            under_way.insert("round.of", doc! { "$exists": true });
            let counted = self.rows.update_one(under_way, doc! { "$inc": { "round.changed": changed } }).await?;
            if counted.matched_count == 0 {
                // Another process has ended this pass as one that changed nothing, although this
                // batch has changed something. So another pass is needed.
                self.begin().await?;
            }
        }
        let further = doc! { "$set": { "round.after": &after }, "$inc": { "round.seen": seen } };
        self.rows.update_one(self.still(&round), further).await?;
        let (seen, changed) = (round.seen + seen, round.changed + changed);
        Ok(self.at(&Round { after: Some(after), seen, changed, ..round }))
    }

    /// Ends the pass. If it has changed documents, the next pass begins. Otherwise the migration is
    /// done, and the result is None.
    async fn end(&self, round: Round) -> Result<Option<Migrating>, Error> {
        let mut still = self.still(&round);
        if round.changed > 0 {
            let next = self.new_round().await?;
            self.rows.update_one(still, doc! { "$set": { "round": mongo::value(&next) } }).await?;
            return Ok(Some(self.at(&next)));
        }
        // The migration is done only if no other process has rewritten a document in this pass.
        still.insert("round.changed", 0);
        let done = doc! { "$set": { "everywhere": self.layout.newest(), "round": Bson::Null } };
        let is_done = self.rows.update_one(still, done).await?.matched_count == 1;
        Ok((!is_done).then(|| self.at(&round)))
    }

    /// The filter that selects the row only if no other process has continued the pass.
    fn still(&self, round: &Round) -> Document {
        let mut still = row_of(self.layout);
        still.insert("round.after", mongo::value(&round.after));
        // Before the first batch `after` is null. Without this condition the filter would also
        // match after another process has ended the pass, when `round` is null.
        still.insert("round.of", doc! { "$exists": true });
        still
    }

    fn at(&self, round: &Round) -> Migrating {
        let [seen, of, changed] = [round.seen, round.of, round.changed].map(|n| n.max(0) as u64);
        Migrating { collection: self.layout.collection(), seen, of, changed }
    }
}

fn id_of(document: &RawDocument) -> anyhow::Result<Bson> {
    let id = document.get("_id")?.context("a document without an id")?;
    Ok(Bson::try_from(id)?)
}

/// The pause after a batch that took this long, so that batches take `busy` percent of the time. At
/// most [`LONGEST_REST`].
fn rest(took: Duration, busy: u8) -> Duration {
    let busy = u32::from(busy.clamp(1, 100));
    (took * (100 - busy) / busy).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_after_a_batch_grows_with_what_it_took() {
        let rest_of = |millis, busy| rest(Duration::from_millis(millis), busy).as_millis();
        assert_eq!((rest_of(10, 25), rest_of(40, 25), rest_of(10, 50), rest_of(10, 100)), (30, 120, 10, 0));
        assert_eq!(rest_of(60_000, 1), 10_000, "it ends at some time");
    }
}
