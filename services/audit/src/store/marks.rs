use bson::doc;
use contracts::Millis;
use kit::{Database, Error, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// A sequence number of EVENTS. Every entry up to it is in the chain, or in a gap that the chain
/// reports.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "_id")]
    seq: i64,
    at: Millis,
}

/// The collection of marks. Each new mark is a new document, because the service's MongoDB user may
/// not update documents.
#[derive(Clone, Debug)]
pub(crate) struct MarkStore(Collection<Mark>);

impl MarkStore {
    pub(super) fn shape() -> Shape {
        ("marks", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("marks"))
    }

    /// The last mark with a sequence number up to `within`, the last one of the stream. Greater
    /// marks come from an earlier stream that was replaced.
    pub(crate) async fn last(&self, within: u64) -> Result<Option<(u64, Millis)>, Error> {
        let mark = self.0.find_one(doc! { "_id": { "$lte": within as i64 } }).sort(doc! { "_id": -1 }).await?;
        Ok(mark.map(|mark| (mark.seq as u64, mark.at)))
    }

    /// Adds a mark. If another replica has added the same mark, nothing happens.
    pub(crate) async fn mark(&self, seq: u64, at: Millis) -> Result<(), Error> {
        match self.0.insert_one(Mark { seq: seq as i64, at }).await {
            Err(error) if !mongo::is_duplicate(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
