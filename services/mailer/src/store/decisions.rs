use bson::doc;
use contracts::PeriodId;
use kit::{Database, Error, Shape, mongo};
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

/// The latest known decision about a pay period.
#[derive(Debug, Serialize, Deserialize)]
struct Heard {
    #[serde(rename = "_id")]
    period: PeriodId,
    version: i64,
}

/// The collection of the latest known decision about each pay period. It prevents that an earlier
/// decision is mailed after a later one.
#[derive(Clone, Debug)]
pub(crate) struct Decisions(Collection<Heard>);

impl Decisions {
    pub(crate) fn shape() -> Shape {
        ("decisions", Vec::new())
    }

    pub(crate) fn open(db: &Database) -> Self {
        Self(db.collection("decisions"))
    }

    /// Stores that this decision is known, and returns whether no later decision about the period
    /// is known.
    pub(crate) async fn is_latest(&self, period: PeriodId, version: i64) -> Result<bool, Error> {
        let (this, heard) = (doc! { "_id": mongo::value(&period) }, doc! { "$max": { "version": version } });
        let latest = self.0.find_one_and_update(this, heard).upsert(true).return_document(ReturnDocument::After);
        Ok(latest.await?.is_none_or(|latest| latest.version <= version))
    }
}
