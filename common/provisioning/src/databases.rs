//! Plans the changes to the collections of a service's database, and to their indexes.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use bson::{Document, doc};
use futures::TryStreamExt;
use kit::Needs;
use mongodb::{Database, IndexModel, error::ErrorKind};

use crate::plan::{Plan, Step};

/// Plans the changes to the database of a service.
pub(crate) async fn plan(database: Database, needs: &Needs) -> Result<Plan> {
    let mut plan = Plan::default();
    if needs.collections.is_empty() {
        return Ok(plan);
    }
    let cannot = || format!("cannot look at the database {}", database.name());
    let found: HashSet<String> = database.list_collection_names().await.with_context(cannot)?.into_iter().collect();
    for (name, indexes) in &needs.collections {
        let found =
            if found.contains(*name) { Some(indexes_of(&database, name).await.with_context(cannot)?) } else { None };
        plan_one(&mut plan, &database, name, indexes, found);
    }
    Ok(plan)
}

type Found = HashMap<String, IndexModel>;

async fn indexes_of(database: &Database, collection: &str) -> mongodb::error::Result<Found> {
    let indexes: Vec<IndexModel> =
        database.collection::<Document>(collection).list_indexes().await?.try_collect().await?;
    Ok(indexes.into_iter().filter_map(|index| Some((kit::mongo::index_name(&index)?.to_owned(), index))).collect())
}

/// Plans the changes to one collection. `found` has the indexes of the collection, or is `None` if
/// it does not exist.
fn plan_one(plan: &mut Plan, database: &Database, name: &'static str, wanted: &[IndexModel], found: Option<Found>) {
    let (label, exists) = (format!("{}.{name}", database.name()), found.is_some());
    let found = found.unwrap_or_default();
    let (mut missing, mut names) = (Vec::new(), Vec::new());
    for index in wanted {
        let Some(index_name) = kit::mongo::index_name(index) else { continue };
        match found.get(index_name) {
            Some(one) if is_same(one, index) => {}
            Some(_) => plan.refused.push(format!(
                "the index {index_name} of {label} is another one than is needed: drop it and run this again"
            )),
            None => {
                names.push(index_name.to_owned());
                missing.push(index.clone());
            }
        }
    }
    let database = database.clone();
    if !missing.is_empty() {
        let what = if exists { "" } else { "create with " };
        plan.then.push(Step::new(format!("{label}: {what}indexes {}", names.join(", ")), async move {
            if !exists {
                create(&database, name).await?;
            }
            database.collection::<Document>(name).create_indexes(missing).await?;
            Ok(())
        }));
    } else if !exists {
        plan.then.push(Step::new(format!("{label}: create"), async move { create(&database, name).await }));
    }
}

/// Creates a collection that is compressed with zstd, which needs two thirds of the space of
/// MongoDB's default. An existing collection keeps its own compression; both can be read and
/// written.
async fn create(database: &Database, name: &str) -> Result<()> {
    let compressed = doc! { "wiredTiger": { "configString": "block_compressor=zstd" } };
    match database.create_collection(name).storage_engine(compressed).await {
        // Another run has created the collection in the meantime.
        Err(error) if matches!(&*error.kind, ErrorKind::Command(e) if e.code == NAMESPACE_EXISTS) => Ok(()),
        made => Ok(made?),
    }
}

/// MongoDB's error code when a collection to create exists already.
const NAMESPACE_EXISTS: i32 = 48;

fn is_same(one: &IndexModel, other: &IndexModel) -> bool {
    let unique = |index: &IndexModel| index.options.as_ref().and_then(|options| options.unique).unwrap_or(false);
    let keys =
        |index: &IndexModel| index.keys.iter().map(|(key, order)| (key.clone(), order.to_string())).collect::<Vec<_>>();
    let expiry = |index: &IndexModel| index.options.as_ref().and_then(|options| options.expire_after);
    keys(one) == keys(other) && unique(one) == unique(other) && expiry(one) == expiry(other)
}
