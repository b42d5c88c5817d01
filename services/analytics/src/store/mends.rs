use bson::{doc, oid::ObjectId};
use futures::TryStreamExt;
use kit::{Database, Error, Shape};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::Place;

/// Where facts are being put right: recomputed after that, by whoever comes next if need be.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: ObjectId,
    places: Vec<Place>,
}

/// The repairs that have begun and not ended.
#[derive(Debug)]
pub(crate) struct Mends(Collection<Row>);

impl Mends {
    pub(super) fn shape() -> Shape {
        ("mends", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("mends"))
    }

    /// One begins, at these places.
    pub(crate) async fn begin(&self, places: &[Place]) -> Result<ObjectId, Error> {
        let row = Row { id: ObjectId::new(), places: places.to_vec() };
        self.0.insert_one(&row).await?;
        Ok(row.id)
    }

    /// Those that have begun.
    pub(crate) async fn begun(&self) -> Result<Vec<(ObjectId, Vec<Place>)>, Error> {
        Ok(self.0.find(doc! {}).await?.map_ok(|row| (row.id, row.places)).try_collect().await?)
    }

    /// This one is over.
    pub(crate) async fn done(&self, id: ObjectId) -> Result<(), Error> {
        self.0.delete_one(doc! { "_id": id }).await?;
        Ok(())
    }
}
