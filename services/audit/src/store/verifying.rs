use bson::{RawDocument, doc};
use futures::TryStreamExt;

use super::{Store, stored::Stored};
use crate::domain::{Anchor, Broken, Entry, Walk};

/// The number of documents that MongoDB returns at once.
const BATCH: u32 = 2_000;

/// Verifies the whole chain. Calls `tell` after each entry with the number of entries that were
/// right so far.
pub(crate) async fn verify(
    store: &Store,
    anchor: Option<Anchor>,
    tell: impl Fn(u64),
) -> anyhow::Result<Option<Anchor>> {
    let mut walk = Walk::new(anchor);
    let mut documents = store.chain.raw.find(doc! {}).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
    while let Some(document) = documents.try_next().await? {
        let entry = step(&mut walk, &document)?;
        tell(entry as u64);
    }
    Ok(walk.end()?)
}

/// Checks the next stored document, and returns its sequence number.
fn step(walk: &mut Walk, document: &RawDocument) -> Result<i64, Broken> {
    let entry = read(document).map_err(|reason| {
        let seq = document.get_i64("_id").unwrap_or(walk.next_seq());
        Broken::Unreadable(seq, reason)
    })?;
    walk.step(&entry)?;
    Ok(entry.seq)
}

/// Parses an entry, and requires that serializing it gives exactly the bytes of the document. The
/// hash covers only the values: it would not reveal an additional field, another order of fields,
/// or a number stored as text.
fn read(document: &RawDocument) -> Result<Entry, String> {
    let stored: Stored = bson::deserialize_from_slice(document.as_bytes()).map_err(|error| error.to_string())?;
    let written = bson::serialize_to_raw_document_buf(&stored).map_err(|error| error.to_string())?;
    if written.as_bytes() != document.as_bytes() {
        return Err("it is not written as this service writes".to_owned());
    }
    Entry::try_from(stored).map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use bson::RawDocumentBuf;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Head, append, fact};

    fn stored(length: u128) -> Vec<Vec<u8>> {
        let entries = append(Head::EMPTY, (1..=length).map(fact));
        let bytes = |entry| bson::serialize_to_vec(&Stored::from(entry)).unwrap();
        entries.into_iter().map(bytes).collect()
    }

    /// The index of the first document that `verify` rejects. A document that is no valid BSON
    /// counts as rejected.
    fn first_broken(documents: &[Vec<u8>]) -> Option<usize> {
        let mut walk = Walk::new(None);
        documents.iter().position(|bytes| {
            let document = RawDocumentBuf::from_bytes(bytes.clone());
            document.is_err() || step(&mut walk, &document.unwrap()).is_err()
        })
    }

    #[test]
    fn what_was_written_fits() {
        assert_eq!(first_broken(&stored(3)), None);
    }

    #[test]
    fn any_bit_that_is_flipped_in_the_database_is_found_in_its_entry() {
        let documents = stored(2);
        for (place, bit) in (0..documents[0].len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
            let mut changed = documents.clone();
            changed[0][place] ^= 1 << bit;
            assert_eq!(first_broken(&changed), Some(0), "byte {place}, bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_byte_that_is_changed_in_the_database_is_found_in_its_entry(
            entry in 0..4_usize, place: prop::sample::Index, to: u8,
        ) {
            let mut documents = stored(4);
            let place = place.index(documents[entry].len());
            prop_assume!(documents[entry][place] != to);
            documents[entry][place] = to;
            prop_assert_eq!(first_broken(&documents), Some(entry));
        }
    }
}
