//! MongoDB clients with the settings of all services: journaled majority writes, majority reads,
//! short time limits.

use std::time::Duration;

use anyhow::Context;
use bson::{Bson, Document, doc};
use contracts::{Code, Failure, Millis, Secret};
use mongodb::{
    Client, Collection, IndexModel,
    error::{ErrorKind, InsertManyError, WriteFailure},
    options::{Acknowledgment, ClientOptions, Credential, IndexOptions, ReadConcern, WriteConcern},
};
use serde::Serialize;

use crate::{Error, metrics::Pool};

/// The MongoDB user that a client connects as.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The database in which the user is stored.
    pub database: String,
    /// The password.
    pub password: Secret,
}

/// Makes a client, which connects when it is first used. Without a login, the client uses the user
/// in the connection string.
///
/// # Errors
/// When the connection string is malformed. The error message never contains it.
pub async fn connect(connection_string: &str, login: Option<Login>, app_name: &str) -> anyhow::Result<Client> {
    connect_observed(connection_string, login, app_name, &Pool::default()).await
}

/// As [`connect`], and updates the metrics in `pool` with the events of the connection pool.
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
    // A primary that is cut off from the network does not close its connections. Heartbeats detect
    // this: operations on that primary fail after at most this interval and the connect timeout.
    options.heartbeat_freq = Some(Duration::from_secs(2));
    let acknowledged_by = match crate::is_mutant("one_node_writes") {
        true => Acknowledgment::Nodes(1),
        false => Acknowledgment::Majority,
    };
    options.write_concern = Some(WriteConcern::builder().w(acknowledged_by).journal(true).build());
    options.read_concern = Some(ReadConcern::majority());
    options.max_pool_size.get_or_insert(64);
    options.cmap_event_handler = Some(pool.handler());
    if let Some(Login { user, database, password }) = login {
        let password = password.expose().to_owned();
        options.credential = Some(Credential::builder().username(user).source(database).password(password).build());
    }
    Client::with_options(options).context("MONGO_CONNECTION_STRING cannot be used")
}

/// Serializes a value to BSON as the driver stores it. Filters and updates need this: ids are
/// stored as binary and rates as integers, but `bson::serialize_to_bson` would give text and
/// doubles.
///
/// # Panics
/// When the type's `Serialize` fails, which no type of this system does.
pub fn value<T: Serialize + ?Sized>(value: &T) -> Bson {
    #[derive(Serialize)]
    struct Holder<'a, T: ?Sized> {
        v: &'a T,
    }
    let raw = bson::serialize_to_raw_document_buf(&Holder { v: value }).expect("our types can be stored");
    let mut document = Document::try_from(&raw).expect("what was just written can be read");
    document.remove("v").expect("it holds one value")
}

/// The condition `{$in: [...]}` with these values.
pub fn one_of<T: Serialize>(values: impl IntoIterator<Item = T>) -> Document {
    doc! { "$in": values.into_iter().map(|v| value(&v)).collect::<Vec<_>>() }
}

/// MongoDB's error code for a duplicate key.
const DUPLICATE: i32 = 11000;

/// Whether an insert or an upsert failed only because a document with the same unique key exists. A
/// majority may not have that document yet, so read the document before relying on it. A client
/// from [`connect`] reads only what a majority has.
pub fn is_duplicate(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(e)) => e.code == DUPLICATE,
        ErrorKind::Command(e) => e.code == DUPLICATE,
        ErrorKind::InsertMany(_) => taken(error).is_some(),
        _ => false,
    }
}

/// The positions, in the list that an unordered `insert_many` was given, of the documents that it
/// did not store because their unique key exists. A majority then has all the other documents. None
/// after any other error, or when it is uncertain what a majority has. In these two cases the same
/// insert may be repeated.
pub fn taken(error: &mongodb::error::Error) -> Option<Vec<usize>> {
    match &*error.kind {
        ErrorKind::InsertMany(InsertManyError { write_errors: Some(met), write_concern_error: None, .. })
            if !met.is_empty() && met.iter().all(|e| e.code == DUPLICATE) =>
        {
            Some(met.iter().map(|e| e.index).collect())
        }
        _ => None,
    }
}

/// Whether a write was applied, but a majority does not have it yet because secondaries lag. The
/// same write succeeds once the secondaries have caught up.
pub fn is_not_on_majority(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteConcernError(_)) => true,
        ErrorKind::InsertMany(e) => {
            e.write_concern_error.is_some() && e.write_errors.iter().flatten().all(|e| e.code == DUPLICATE)
        }
        _ => false,
    }
}

/// The failure when a majority does not have some data yet. The failure is temporary: callers try
/// again.
pub fn not_on_majority() -> Failure {
    Failure::new(Code::Unavailable, "The database has not yet written this to a majority. Try again in a moment.")
}

/// An index on these fields.
pub fn index(keys: Document) -> IndexModel {
    named(keys, false)
}

/// A unique index on these fields.
pub fn unique(keys: Document) -> IndexModel {
    named(keys, true)
}

/// A TTL index: MongoDB removes each document once the date in this field has passed.
pub fn expiring(field: &str) -> IndexModel {
    let mut index = named(doc! { field: 1 }, false);
    index.options.get_or_insert_default().expire_after = Some(Duration::ZERO);
    index
}

/// Converts a time to a BSON date, the type that a TTL index needs.
pub fn date(at: Millis) -> bson::DateTime {
    bson::DateTime::from_millis(at.0)
}

/// Makes an index with MongoDB's default name for these fields. The name is set here, so that
/// [`index_name`] can return it.
fn named(keys: Document, unique: bool) -> IndexModel {
    let name = keys.iter().map(|(key, order)| format!("{key}_{order}")).collect::<Vec<_>>().join("_");
    // Ids repeat in index keys, so compression saves space. Snappy costs no measurable CPU time;
    // zstd would.
    let compressed = doc! { "wiredTiger": { "configString": "block_compressor=snappy" } };
    let options = IndexOptions::builder().name(name).unique(unique.then_some(true)).storage_engine(compressed).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// The name of an index made by [`index`], [`unique`] or [`expiring`].
pub fn index_name(index: &IndexModel) -> Option<&str> {
    index.options.as_ref()?.name.as_deref()
}

/// Stores a document unless the stored one has the same or a newer version, so that a projection
/// may process events twice, late or out of order. The document must have the fields `_id` and
/// `version`.
///
/// Returns whether the document was stored.
///
/// # Errors
/// Those of MongoDB; 503 while a majority does not have the newer document yet.
pub async fn replace_if_newer<T: Serialize + Send + Sync>(
    collection: &Collection<T>,
    id: Bson,
    version: i64,
    document: &T,
) -> Result<bool, Error> {
    let older = doc! { "_id": id.clone(), "version": { "$lt": version } };
    let mut replaced = collection.replace_one(older.clone(), document).upsert(true).await;
    if replaced.as_ref().is_err_and(is_duplicate) {
        // Another writer has inserted the document in the meantime. If its version is older, the
        // second try replaces it; otherwise the second try fails with the same error.
        replaced = collection.replace_one(older, document).upsert(true).await;
    }
    match replaced {
        Ok(done) => Ok(done.modified_count > 0 || done.upserted_id.is_some()),
        Err(error) if is_duplicate(&error) => {
            let as_new = doc! { "_id": id, "version": { "$gte": version } };
            let known = collection.clone_with_type::<Document>().find_one(as_new).await?;
            known.map(|_| false).ok_or_else(|| not_on_majority().into())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use contracts::{EmployeeId, Rate};

    use super::*;

    /// The driver's error for a reply to an unordered `insert_many`. The tests use replies that
    /// MongoDB really gives.
    fn insert_many(reply: Document) -> mongodb::error::Error {
        let error: InsertManyError = bson::deserialize_from_document(reply).expect("a reply");
        ErrorKind::InsertMany(error).into()
    }

    fn met(index: i32, code: i32) -> Document {
        doc! { "index": index, "code": code, "errmsg": "E11000 duplicate key error collection: t3_db_timetrack.windows" }
    }

    fn lagging() -> Document {
        doc! { "code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out" }
    }

    #[test]
    fn what_was_not_refused_is_stored_only_where_a_majority_has_it() {
        let refused = insert_many(doc! { "writeErrors": [met(0, 11000), met(3, 11000)] });
        assert_eq!(taken(&refused), Some(vec![0, 3]));
        assert!(is_duplicate(&refused) && !is_not_on_majority(&refused));

        let both = insert_many(doc! { "writeErrors": [met(0, 11000)], "writeConcernError": lagging() });
        assert_eq!(taken(&both), None, "the others may not be on a majority");
        assert!(!is_duplicate(&both) && is_not_on_majority(&both));

        let lags = insert_many(doc! { "writeConcernError": lagging() });
        assert_eq!(taken(&lags), None);
        assert!(is_not_on_majority(&lags));

        let broken = insert_many(doc! { "writeErrors": [met(0, 11000), met(1, 121)], "writeConcernError": lagging() });
        assert_eq!(taken(&broken), None, "a document that MongoDB refuses is no duplicate");
        assert!(!is_not_on_majority(&broken), "it would be refused again");
    }

    #[test]
    fn a_write_that_waits_for_secondaries_is_tried_again_however_often() {
        let both = insert_many(doc! { "writeErrors": [met(0, 11000)], "writeConcernError": lagging() });
        assert!(Error::from(both).is_away());
        let one = bson::deserialize_from_document(lagging()).expect("a reply");
        let one = mongodb::error::Error::from(ErrorKind::Write(WriteFailure::WriteConcernError(one)));
        assert!(Error::from(one).is_away());
    }

    #[test]
    fn ids_are_stored_as_binary_and_rates_as_integers() {
        assert!(matches!(value(&EmployeeId(uuid::Uuid::nil())), Bson::Binary(_)));
        assert_eq!(value(&Rate::try_from(62.5).expect("a rate")), Bson::Int64(625_000));
    }
}
