use bson::doc;
use contracts::Millis;
use kit::{Database, Error, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// A sequence number of the stream up to which every entry is in the chain.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "_id")]
    seq: i64,
    at: Millis,
}

/// The marks. They are only added to: the service may not change documents.
#[derive(Clone, Debug)]
pub(crate) struct MarkStore(Collection<Mark>);

impl MarkStore {
    pub(super) fn shape() -> Shape {
        ("marks", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("marks"))
    }

    /// The last mark of this stream. Greater ones are of an earlier stream that was replaced.
    pub(crate) async fn last(&self, within: u64) -> Result<Option<(u64, Millis)>, Error> {
        let mark = self.0.find_one(doc! { "_id": { "$lte": within as i64 } }).sort(doc! { "_id": -1 }).await?;
        Ok(mark.map(|mark| (mark.seq as u64, mark.at)))
    }

    /// Adds a mark. Another replica may have added the same.
    pub(crate) async fn mark(&self, seq: u64, at: Millis) -> Result<(), Error> {
        match self.0.insert_one(Mark { seq: seq as i64, at }).await {
            Err(error) if !mongo::is_duplicate(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
