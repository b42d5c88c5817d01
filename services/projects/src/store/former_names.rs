use std::collections::BTreeMap;

use bson::doc;
use contracts::{Name, Task};
use futures::TryStreamExt;
use kit::{Database, Error, Shape, Tx, mongo::one_of};
use mongodb::Collection;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// The name of a deleted project or task.
#[derive(Debug, Serialize, Deserialize)]
struct Document<Id = Uuid> {
    #[serde(rename = "_id")]
    id: Id,
    name: Name,
}

/// The names of deleted projects and tasks, for reports about earlier time.
#[derive(Debug)]
pub(crate) struct FormerNames(Collection<Document>);

impl FormerNames {
    pub(super) fn shape() -> Shape {
        ("former_names", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("former_names"))
    }

    /// Stores the name of a deleted project or task in this transaction.
    pub(crate) async fn keep(&self, tx: &mut Tx<'_>, id: Uuid, name: &Name) -> Result<(), Error> {
        self.0.insert_one(Document { id, name: name.clone() }).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores the names of deleted tasks in this transaction.
    pub(crate) async fn keep_tasks(&self, tx: &mut Tx<'_>, tasks: &[Task]) -> Result<(), Error> {
        if tasks.is_empty() {
            return Ok(());
        }
        let documents = tasks.iter().map(|task| Document { id: task.id.0, name: task.name.clone() });
        self.0.insert_many(documents).session(&mut tx.session).await?;
        Ok(())
    }

    /// The names of the deleted projects or tasks with these ids.
    pub(crate) async fn of<Id>(&self, ids: &[Id]) -> Result<BTreeMap<Id, Name>, Error>
    where
        Id: Serialize + DeserializeOwned + Ord + Send + Sync + Unpin,
    {
        names(&self.0, ids).await
    }
}

/// The names of the documents with these ids in a collection.
pub(super) async fn names<T, Id>(collection: &Collection<T>, ids: &[Id]) -> Result<BTreeMap<Id, Name>, Error>
where
    T: Send + Sync,
    Id: Serialize + DeserializeOwned + Ord + Send + Sync + Unpin,
{
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let named = collection.clone_with_type::<Document<Id>>();
    let found = named.find(doc! { "_id": one_of(ids) }).projection(doc! { "name": 1 }).await?;
    Ok(found.map_ok(|document| (document.id, document.name)).try_collect().await?)
}
