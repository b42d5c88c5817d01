use anyhow::{Context, anyhow};
use bson::{Document, RawArrayBuf, RawDocumentBuf, doc, raw::cstr, rawdoc};
use kit::{Error, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// MongoDB's error code for a duplicate key.
const DUPLICATE: i32 = 11000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(default)]
    write_errors: Vec<WriteError>,
    write_concern_error: Option<Document>,
}

#[derive(Deserialize)]
struct WriteError {
    index: usize,
    code: i32,
}

/// Upserts documents in one round trip. Each document replaces the one that its filter matches, or
/// is inserted. Returns what [`update_all`] returns.
pub(super) async fn replace_all<T>(collection: &Collection<T>, all: &[(Document, T)]) -> Result<Vec<usize>, Error>
where
    T: Serialize + Send + Sync,
{
    let raw = |document| bson::serialize_to_raw_document_buf(document).context("a document that cannot be written");
    let updates: Vec<_> = all.iter().map(|(filter, new)| Ok((filter, raw(new)?))).collect::<anyhow::Result<_>>()?;
    upsert(collection, updates).await
}

/// Upserts by update in one round trip. Each update changes the document that its filter matches,
/// or inserts a new one. A filter has the `_id` and the expected state. (`Client::bulk_write` would
/// need MongoDB 8.)
///
/// Returns the indexes of the updates that were refused: a concurrent change has put their
/// documents into another state.
pub(super) async fn update_all<T>(collection: &Collection<T>, all: &[(Document, Document)]) -> Result<Vec<usize>, Error>
where
    T: Send + Sync,
{
    let raw = |update| RawDocumentBuf::try_from(update).context("an update that cannot be written");
    let updates: Vec<_> =
        all.iter().map(|(filter, update)| Ok((filter, raw(update)?))).collect::<anyhow::Result<_>>()?;
    upsert(collection, updates).await
}

async fn upsert<T>(collection: &Collection<T>, all: Vec<(&Document, RawDocumentBuf)>) -> Result<Vec<usize>, Error>
where
    T: Send + Sync,
{
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let mut updates = RawArrayBuf::new();
    for (filter, update) in all {
        let filter = RawDocumentBuf::try_from(filter).context("a filter that cannot be written")?;
        updates.push(rawdoc! { "q": filter, "u": update, "upsert": true });
    }
    let mut command = rawdoc! { "update": collection.name(), "ordered": false };
    command.append(cstr!("writeConcern"), rawdoc! { "w": "majority", "j": true });
    command.append(cstr!("updates"), updates);
    let database = collection.client().database(&collection.namespace().db);
    let reply = database.run_raw_command(command).await?;
    let outcome: Outcome = bson::deserialize_from_document(reply).context("a reply that cannot be read")?;
    if let Some(error) = outcome.write_concern_error {
        tracing::warn!(%error, "not on a majority yet");
        return Err(mongo::not_on_majority().into());
    }
    if let Some(error) = outcome.write_errors.iter().find(|error| error.code != DUPLICATE) {
        return Err(anyhow!("MongoDB refused a document with code {}", error.code).into());
    }
    // The filter of a refused update does not match the stored state. So the upsert tries to
    // insert, and fails with a duplicate `_id`.
    Ok(outcome.write_errors.into_iter().map(|error| error.index).collect())
}
