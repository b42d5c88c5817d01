use std::{collections::HashSet, sync::Arc};

use bson::doc;
use contracts::{IngestItem, ProjectId, RatesChanged, TaskId};
use futures::TryStreamExt;
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::{Binding, BindingKey, Bindings};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    key: String,
    version: i64,
    binding: Binding,
}

/// The collection of bindings, which are copies of other services' data. Only consumers of events
/// and the comparison with the owners write them.
#[derive(Clone, Debug)]
pub(crate) struct BindingStore(Collection<Row>);

impl BindingStore {
    pub(super) fn shape() -> Shape {
        ("bindings", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("bindings"))
    }

    /// Stores a binding, unless the same or a newer version is stored.
    pub(crate) async fn keep(&self, binding: Binding) -> Result<(), Error> {
        let (key, version) = (binding.key().to_string(), binding.version());
        let row = Row { key: key.clone(), version, binding };
        mongo::replace_if_newer(&self.0, key.into(), version, &row).await?;
        Ok(())
    }

    /// The bindings whose keys are greater than `after` and at most `upto`.
    pub(crate) async fn between(&self, after: &str, upto: &str) -> Result<Vec<Binding>, Error> {
        let rows = self.0.find(doc! { "_id": { "$gt": after, "$lte": upto } }).await?;
        Ok(rows.map_ok(|row| row.binding).try_collect().await?)
    }

    /// Stores the owner's binding, even over another one with the same version. Returns false, and
    /// stores nothing, if a newer one is stored.
    pub(crate) async fn heal(&self, tx: &mut Tx<'_>, binding: Binding) -> Result<bool, Error> {
        let (key, version) = (binding.key().to_string(), binding.version());
        let this = doc! { "_id": &key };
        let known = self.0.find_one(this.clone()).session(&mut tx.session).await?;
        if known.is_some_and(|known| known.version > version) {
            return Ok(false);
        }
        let row = Row { key, version, binding };
        self.0.replace_one(this, row).upsert(true).session(&mut tx.session).await?;
        Ok(true)
    }

    /// Removes a binding that its owner does not have, unless it has another version now. Returns
    /// whether it was removed.
    pub(crate) async fn forget(&self, tx: &mut Tx<'_>, key: BindingKey, version: i64) -> Result<bool, Error> {
        let this = doc! { "_id": key.to_string(), "version": version };
        Ok(self.0.delete_one(this).session(&mut tx.session).await?.deleted_count > 0)
    }

    /// All bindings of these windows except rates, with one query.
    pub(crate) async fn of(&self, items: &[&IngestItem]) -> Result<Bindings, Error> {
        let keys: HashSet<_> = items.iter().flat_map(|item| Bindings::keys(item)).collect();
        self.find(keys).await
    }

    /// All bindings of these windows, rates included, with one query.
    pub(super) async fn of_priced(&self, items: &[&IngestItem]) -> Result<Bindings, Error> {
        let parties = items.iter().flat_map(|item| Bindings::keys(item));
        let keys: HashSet<_> = parties.chain(items.iter().flat_map(|item| Bindings::rate_keys(item))).collect();
        self.find(keys).await
    }

    /// The bindings with these keys, which are those of projects and rates.
    pub(super) async fn of_prices(&self, keys: HashSet<BindingKey>) -> Result<Bindings, Error> {
        self.find(keys).await
    }

    /// The rates of all scopes. If their total weight exceeds `most`, reading stops there: then
    /// only the first ones are returned, and their weight still exceeds `most`.
    pub(crate) async fn all_rates(&self, most: usize) -> Result<Vec<Arc<RatesChanged>>, Error> {
        // The keys of rates begin with `r:`.
        let mut rows = self.0.find(doc! { "_id": { "$gt": "r:", "$lt": "r;" } }).await?;
        let (mut all, mut weight) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await? {
            weight += row.binding.weight();
            if let Binding::Rates(rates) = row.binding {
                all.push(Arc::new(rates));
            }
            if weight > most {
                break;
            }
        }
        Ok(all)
    }

    /// The bindings of a project and a task.
    pub(crate) async fn of_task(&self, project: ProjectId, task: TaskId) -> Result<Bindings, Error> {
        self.find([BindingKey::Project(project), BindingKey::Task(task)]).await
    }

    async fn find(&self, keys: impl IntoIterator<Item = BindingKey>) -> Result<Bindings, Error> {
        Ok(self.rows(keys).await?.into_iter().collect())
    }

    /// The stored bindings with these keys, in no particular order.
    pub(crate) async fn rows(&self, keys: impl IntoIterator<Item = BindingKey>) -> Result<Vec<Binding>, Error> {
        let keys: Vec<String> = keys.into_iter().map(|key| key.to_string()).collect();
        let rows = self.0.find(doc! { "_id": { "$in": keys } }).await?;
        Ok(rows.map_ok(|row| row.binding).try_collect().await?)
    }
}
