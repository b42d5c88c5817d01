//! MongoDB, as all services use it: majority and journaled writes, short timeouts.

use std::time::Duration;

use anyhow::Context;
use bson::{Bson, Document, doc};
use contracts::Secret;
use mongodb::{
    Client, Collection, IndexModel,
    error::{ErrorKind, WriteFailure},
    options::{Acknowledgment, ClientOptions, Credential, IndexOptions, ReadConcern, WriteConcern},
};
use serde::Serialize;

use crate::metrics::Pool;

/// Who connects: a user, who is kept in a database.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The database that the user is kept in.
    pub database: String,
    /// The password.
    pub password: Secret,
}

/// Connects, lazily: an unreachable server shows when it is asked something. Without a login,
/// whoever the connection string names.
///
/// # Errors
/// When the connection string is malformed; the message never repeats it.
pub async fn connect(connection_string: &str, login: Option<Login>, app_name: &str) -> anyhow::Result<Client> {
    connect_observed(connection_string, login, app_name, &Pool::default()).await
}

/// The same, and the pool hears of every connection.
pub(crate) async fn connect_observed(
    connection_string: &str,
    login: Option<Login>,
    app_name: &str,
    pool: &Pool,
) -> anyhow::Result<Client> {
    let mut options = ClientOptions::parse(connection_string)
        .await
        .context("MONGO_CONNECTION_STRING is not a MongoDB connection string (mongodb://host:port/?replicaSet=name)")?;
    options.app_name = Some(app_name.to_owned());
    options.server_selection_timeout = Some(Duration::from_secs(3));
    options.connect_timeout = Some(Duration::from_secs(3));
    options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
    options.read_concern = Some(ReadConcern::majority());
    options.max_pool_size.get_or_insert(64);
    options.cmap_event_handler = Some(pool.handler());
    if let Some(Login { user, database, password }) = login {
        let password = password.expose().to_owned();
        options.credential = Some(Credential::builder().username(user).source(database).password(password).build());
    }
    Client::with_options(options).context("MONGO_CONNECTION_STRING cannot be used")
}

/// A value as it is stored. Filters and updates must go through here: the driver stores ids as
/// binary and rates as integers, which `bson::serialize_to_bson` would write as text and doubles.
///
/// # Panics
/// When the type's `Serialize` fails, which for our types it does not.
pub fn value<T: Serialize + ?Sized>(value: &T) -> Bson {
    #[derive(Serialize)]
    struct Holder<'a, T: ?Sized> {
        v: &'a T,
    }
    let raw = bson::serialize_to_raw_document_buf(&Holder { v: value }).expect("our types can be stored");
    let mut document = Document::try_from(&raw).expect("what was just written can be read");
    document.remove("v").expect("it holds one value")
}

/// `{$in: [...]}` over values.
pub fn one_of<T: Serialize>(values: impl IntoIterator<Item = T>) -> Document {
    doc! { "$in": values.into_iter().map(|v| value(&v)).collect::<Vec<_>>() }
}

/// Whether an insert or an upsert met a document with the same unique key.
pub fn is_duplicate(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(e)) => e.code == 11000,
        ErrorKind::Command(e) => e.code == 11000,
        ErrorKind::InsertMany(e) => {
            e.write_errors.as_ref().is_some_and(|all| !all.is_empty() && all.iter().all(|e| e.code == 11000))
        }
        _ => false,
    }
}

/// An index over these keys, for [`crate::Needs`].
pub fn index(keys: Document) -> IndexModel {
    named(keys, false)
}

/// A unique index over these keys.
pub fn unique(keys: Document) -> IndexModel {
    named(keys, true)
}

/// The name is the one that MongoDB would give it; written here so that it can be looked for.
fn named(keys: Document, unique: bool) -> IndexModel {
    let name = keys.iter().map(|(key, order)| format!("{key}_{order}")).collect::<Vec<_>>().join("_");
    let options = IndexOptions::builder().name(name).unique(unique.then_some(true)).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// The name of an index that was made by [`index`] or [`unique`].
pub fn index_name(index: &IndexModel) -> Option<&str> {
    index.options.as_ref()?.name.as_deref()
}

/// Stores an aggregate's copy unless the stored one is as new: the whole of a projection that
/// may see events twice, late or out of order. The document holds `_id` and `version`.
///
/// Says whether it was stored.
///
/// # Errors
/// Those of MongoDB.
pub async fn replace_if_newer<T: Serialize + Send + Sync>(
    collection: &Collection<T>,
    id: Bson,
    version: i64,
    document: &T,
) -> mongodb::error::Result<bool> {
    let older = doc! { "_id": id, "version": { "$lt": version } };
    let mut replaced = collection.replace_one(older.clone(), document).upsert(true).await;
    if replaced.as_ref().is_err_and(is_duplicate) {
        // Another one was stored: an older one in this very moment, then this is done again, or one
        // that is as new.
        replaced = collection.replace_one(older, document).upsert(true).await;
    }
    match replaced {
        Ok(done) => Ok(done.modified_count > 0 || done.upserted_id.is_some()),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use contracts::{EmployeeId, Rate};

    use super::*;

    #[test]
    fn ids_are_stored_as_binary_and_rates_as_integers() {
        assert!(matches!(value(&EmployeeId(uuid::Uuid::nil())), Bson::Binary(_)));
        assert_eq!(value(&Rate::try_from(62.5).expect("a rate")), Bson::Int64(625_000));
    }
}
