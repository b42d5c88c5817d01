use bson::{doc, oid::ObjectId};
use futures::TryStreamExt;
use kit::{Database, Error, Shape};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::Place;

/// A repair: the time ranges to recompute. If the process crashes after the repair of the facts,
/// another process recomputes them.
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

    /// Stores that a repair of these time ranges begins. Returns the id of the repair.
    pub(crate) async fn begin(&self, places: &[Place]) -> Result<ObjectId, Error> {
        let row = Row { id: ObjectId::new(), places: places.to_vec() };
        self.0.insert_one(&row).await?;
        Ok(row.id)
    }

    /// The repairs that have begun and not ended, each with its id.
    pub(crate) async fn begun(&self) -> Result<Vec<(ObjectId, Vec<Place>)>, Error> {
        Ok(self.0.find(doc! {}).await?.map_ok(|row| (row.id, row.places)).try_collect().await?)
    }

    /// Removes a repair that has ended.
    pub(crate) async fn done(&self, id: ObjectId) -> Result<(), Error> {
        self.0.delete_one(doc! { "_id": id }).await?;
        Ok(())
    }
}
