use bson::{Document, doc};
use futures::TryStreamExt;

use super::{Store, stored::Stored};
use crate::domain::{Anchor, Broken, Entry, Walk};

/// How many entries are fetched at once.
const BATCH: u32 = 2_000;

/// Walks the whole chain, and tells how many entries fit so far.
pub(crate) async fn verify(
    store: &Store,
    anchor: Option<Anchor>,
    tell: impl Fn(u64),
) -> anyhow::Result<Option<Anchor>> {
    let mut walk = Walk::new(anchor);
    let mut documents = store.chain.raw.find(doc! {}).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
    while let Some(document) = documents.try_next().await? {
        let entry =
            read(document).map_err(|(seq, reason)| Broken::Unreadable(seq.unwrap_or(walk.next_seq()), reason))?;
        walk.step(&entry)?;
        tell(entry.seq as u64);
    }
    Ok(walk.end()?)
}

/// The entry; or its place, where even that can be read, and why it is none.
fn read(document: Document) -> Result<Entry, (Option<i64>, String)> {
    let seq = document.get_i64("_id").ok();
    let stored: Stored = bson::deserialize_from_document(document).map_err(|error| (seq, error.to_string()))?;
    Entry::try_from(stored).map_err(|reason| (seq, reason.to_owned()))
}
