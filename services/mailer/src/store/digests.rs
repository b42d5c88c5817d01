use bson::doc;
use jiff::civil::Date;
use kit::{Database, Error, Shape, Tx};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The id of the only document in the collection.
const LAST: &str = "last";

/// The document with the last day whose mails were requested.
#[derive(Debug, Serialize, Deserialize)]
struct Last {
    #[serde(rename = "_id")]
    id: String,
    day: Date,
}

/// The collection that stores the last day whose mails to managers were requested.
#[derive(Clone, Debug)]
pub(crate) struct Digests(Collection<Last>);

impl Digests {
    pub(crate) fn shape() -> Shape {
        ("digests", Vec::new())
    }

    pub(crate) fn open(db: &Database) -> Self {
        Self(db.collection("digests"))
    }

    /// Returns whether the mails of this day, or of a later one, were requested.
    pub(crate) async fn are_requested(&self, day: Date) -> Result<bool, Error> {
        Ok(self.0.find_one(doc! { "_id": LAST }).await?.is_some_and(|last| last.day >= day))
    }

    /// Stores that the mails of this day are requested. Returns false if they were requested
    /// before. If two processes do this at the same time, one transaction conflicts, is repeated
    /// and returns false.
    pub(crate) async fn request(&self, tx: &mut Tx<'_>, day: Date) -> Result<bool, Error> {
        let last = self.0.find_one(doc! { "_id": LAST }).session(&mut tx.session).await?;
        if last.is_some_and(|last| last.day >= day) {
            return Ok(false);
        }
        let this = Last { id: LAST.to_owned(), day };
        self.0.replace_one(doc! { "_id": LAST }, this).upsert(true).session(&mut tx.session).await?;
        Ok(true)
    }
}
