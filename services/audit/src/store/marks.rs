use bson::doc;
use contracts::Millis;
use kit::{Database, Error, Shape, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// Everything of ours up to this place of the stream is on the chain.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "_id")]
    seq: i64,
    at: Millis,
}

/// Up to where the stream was read. Added to now and then, as nothing here may be changed.
#[derive(Clone, Debug)]
pub(crate) struct MarkStore(Collection<Mark>);

impl MarkStore {
    pub(super) fn shape() -> Shape {
        ("marks", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("marks"))
    }

    /// The last mark that is a place of this stream: those of one that was replaced may be greater.
    pub(crate) async fn last(&self, within: u64) -> Result<Option<(u64, Millis)>, Error> {
        let mark = self.0.find_one(doc! { "_id": { "$lte": within as i64 } }).sort(doc! { "_id": -1 }).await?;
        Ok(mark.map(|mark| (mark.seq as u64, mark.at)))
    }

    /// Marks a place. Another replica may have marked the same.
    pub(crate) async fn mark(&self, seq: u64, at: Millis) -> Result<(), Error> {
        match self.0.insert_one(Mark { seq: seq as i64, at }).await {
            Err(error) if !mongo::is_duplicate(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
