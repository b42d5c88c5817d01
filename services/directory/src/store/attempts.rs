use bson::{Bson, DateTime, Document, doc};
use contracts::Millis;
use futures::TryStreamExt;
use kit::{
    Database, Error, Shape,
    mongo::{expiring, is_duplicate, one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::{AttemptKey, AttemptRecord};

/// The record of the attempts with one key, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    key: AttemptKey,
    until: Millis,
    forgotten_at: Millis,
    known_until: Millis,
    waits_since: Option<Millis>,
    /// When MongoDB removes the record.
    over_at: DateTime,
}

/// The records of attempts. All replicas share them, and they survive a restart.
#[derive(Clone, Debug)]
pub(crate) struct Attempts(Collection<Stored>);

impl Attempts {
    pub(super) fn shape() -> Shape {
        ("attempts", vec![expiring("overAt")])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("attempts"))
    }

    /// The records with these keys, in the order of the keys.
    pub(crate) async fn get<const N: usize>(
        &self,
        keys: [&AttemptKey; N],
    ) -> Result<[Option<AttemptRecord>; N], Error> {
        let found: Vec<Stored> = self.0.find(doc! { "_id": one_of(keys) }).await?.try_collect().await?;
        Ok(keys.map(|key| found.iter().find(|stored| stored.key == *key).map(Stored::record)))
    }

    /// Writes a record if the stored one still has the content that was read, or is still missing.
    /// Returns whether the record was written.
    pub(crate) async fn swap(
        &self,
        key: &AttemptKey,
        seen: Option<&AttemptRecord>,
        record: &AttemptRecord,
    ) -> Result<bool, Error> {
        let stored = Stored::new(key, record);
        match seen {
            Some(seen) => Ok(self.0.replace_one(as_seen(key, seen), stored).await?.matched_count > 0),
            None => match self.0.insert_one(stored).await {
                Ok(_) => Ok(true),
                Err(error) if is_duplicate(&error) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Replaces or inserts a record, whatever its content is.
    pub(crate) async fn put(&self, key: &AttemptKey, record: &AttemptRecord) -> Result<(), Error> {
        self.0.replace_one(doc! { "_id": value(key) }, Stored::new(key, record)).upsert(true).await?;
        Ok(())
    }

    /// Removes one failure from a record that another attempt has changed in the meantime. `worth`
    /// is the time in milliseconds that a failure has added.
    pub(crate) async fn take_back(&self, key: &AttemptKey, worth: i64, now: Millis) -> Result<(), Error> {
        let remembered = doc! { "_id": value(key), "forgottenAt": { "$gt": value(&now) } };
        self.0.update_one(remembered, doc! { "$inc": { "forgottenAt": -worth } }).await?;
        Ok(())
    }
}

fn as_seen(key: &AttemptKey, seen: &AttemptRecord) -> Document {
    doc! {
        "_id": value(key),
        "until": value(&seen.until),
        "forgottenAt": value(&seen.forgotten_at),
        "knownUntil": value(&seen.known_until),
        "waitsSince": seen.waits_since.map_or(Bson::Null, |since| value(&since)),
    }
}

impl Stored {
    fn new(key: &AttemptKey, record: &AttemptRecord) -> Self {
        let AttemptRecord { until, forgotten_at, known_until, waits_since } = *record;
        let over_at = DateTime::from_millis(record.over_at().0);
        Self { key: key.clone(), until, forgotten_at, known_until, waits_since, over_at }
    }

    fn record(&self) -> AttemptRecord {
        let Self { until, forgotten_at, known_until, waits_since, .. } = *self;
        AttemptRecord { until, forgotten_at, known_until, waits_since }
    }
}
