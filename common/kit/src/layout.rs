use anyhow::{Context, ensure};
use bson::{Document, RawDocument, RawDocumentBuf, raw::RawBsonRef};
use serde::de::DeserializeOwned;

/// The field of a document that contains the number of its layout.
const FIELD: &str = "layout";

/// A function that converts a document from one layout to the next. Its result depends on the
/// document alone.
pub type Step = fn(Document) -> Document;

/// The layouts of a collection's documents: the newest one, and the steps that lead to it from the
/// earlier ones.
///
/// A document contains the number of its layout; a document without a number has layout 1. A
/// program that replaces whole documents would drop a field that it does not know, so a new field
/// also needs a new layout.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    collection: &'static str,
    /// The field whose value has this layout. None if the whole document has it.
    within: Option<&'static str>,
    steps: &'static [Step],
}

impl Layout {
    /// The layouts of whole documents. The first step converts layout 1 to layout 2, and so on.
    pub const fn of(collection: &'static str, steps: &'static [Step]) -> Self {
        Self { collection, within: None, steps }
    }

    /// The layouts of the value of this field in the documents.
    pub const fn within(collection: &'static str, field: &'static str, steps: &'static [Step]) -> Self {
        Self { collection, within: Some(field), steps }
    }

    /// The name of the collection.
    pub const fn collection(&self) -> &'static str {
        self.collection
    }

    /// The number of the newest layout, which is the highest that this program can read and write.
    pub const fn newest(&self) -> i32 {
        self.steps.len() as i32 + 1
    }

    /// Reads the number of a document's layout from the document.
    ///
    /// # Errors
    /// When this program does not know that layout. The document must not be read as if it had
    /// another layout.
    pub fn said_by(&self, document: &RawDocument) -> anyhow::Result<i32> {
        let said = match document.get(FIELD)? {
            None => 1,
            Some(RawBsonRef::Int32(said)) => said,
            Some(other) => anyhow::bail!("a document of {} says the layout {other:?}, no number", self.collection),
        };
        let (collection, newest) = (self.collection, self.newest());
        ensure!(
            (1..=newest).contains(&said),
            "a document of {collection} is of layout {said}, and this program reads 1 to {newest}: run a newer one"
        );
        Ok(said)
    }

    /// Deserializes a document of any known layout, after converting it to the newest one.
    ///
    /// # Errors
    /// As [`Layout::said_by`].
    pub fn read<T: DeserializeOwned>(&self, document: &RawDocument) -> anyhow::Result<T> {
        let upgraded = self.upgraded(document)?;
        let newest = upgraded.as_deref().unwrap_or(document);
        bson::deserialize_from_slice(newest.as_bytes()).with_context(|| format!("a document of {}", self.collection))
    }

    /// Converts a document to the newest layout. None if the document has that layout already.
    fn upgraded(&self, document: &RawDocument) -> anyhow::Result<Option<RawDocumentBuf>> {
        let said = self.said_by(document)?;
        if said == self.newest() {
            return Ok(None);
        }
        let old = Document::try_from(document)?;
        let mut new = self.steps.iter().skip(said as usize - 1).fold(old, |document, step| step(document));
        // Without the removal, the insert would leave the field at its old position. All writers
        // put it at the end.
        new.remove(FIELD);
        new.insert(FIELD, self.newest());
        Ok(Some(RawDocumentBuf::try_from(&new)?))
    }

    /// Converts a whole stored document to the newest layout. If only one field has layouts, only
    /// the value of that field is converted. None if nothing has to be converted.
    pub(crate) fn rewritten(&self, whole: &RawDocument) -> anyhow::Result<Option<RawDocumentBuf>> {
        let Some(field) = self.within else { return self.upgraded(whole) };
        let Some(upgraded) = self.upgraded(whole.get_document(field)?)? else { return Ok(None) };
        let mut rewritten = Document::try_from(whole)?;
        rewritten.insert(field, Document::try_from(&*upgraded)?);
        Ok(Some(RawDocumentBuf::try_from(&rewritten)?))
    }
}

#[cfg(test)]
mod tests {
    use bson::{doc, rawdoc};

    use super::*;

    /// The first step renames the field `n` to `pairs`. The second replaces `pairs` with `count`,
    /// which is twice as large.
    const STEPS: &[Step] = &[renamed, doubled];
    const THINGS: Layout = Layout::of("things", STEPS);

    fn renamed(mut document: Document) -> Document {
        let count = document.remove("n").expect("a count");
        document.insert("pairs", count);
        document
    }

    fn doubled(mut document: Document) -> Document {
        let pairs = document.remove("pairs").expect("pairs").as_i32().expect("a number");
        document.insert("count", 2 * pairs);
        document
    }

    #[test]
    fn a_document_goes_through_each_layout_between_its_own_and_the_newest() {
        let newest = doc! { "_id": 1, "count": 6, "layout": 3 };
        for old in [rawdoc! { "_id": 1, "n": 3 }, rawdoc! { "_id": 1, "layout": 2, "pairs": 3 }] {
            assert_eq!(THINGS.read::<Document>(&old).expect("it is read"), newest);
            assert_eq!(
                THINGS.rewritten(&old).expect("it is read"),
                Some(RawDocumentBuf::try_from(&newest).expect("raw"))
            );
        }
        let newest = RawDocumentBuf::try_from(&newest).expect("raw");
        assert_eq!(THINGS.rewritten(&newest).expect("it is read"), None);
    }

    #[test]
    fn a_layout_that_is_not_known_is_an_error_that_names_the_remedy() {
        for strange in [rawdoc! { "layout": 4 }, rawdoc! { "layout": 0 }] {
            let error = THINGS.read::<Document>(&strange).expect_err("it is not known").to_string();
            assert!(error.contains("things") && error.contains("reads 1 to 3: run a newer one"), "{error}");
        }
        assert!(THINGS.read::<Document>(&rawdoc! { "layout": "2" }).is_err());
    }

    #[test]
    fn what_lies_in_a_field_is_laid_out_alone() {
        let former = Layout::within("former_things", "was", STEPS);
        let whole = rawdoc! { "_id": "a", "was": { "_id": 1, "n": 3 }, "at": 7 };
        let rewritten = former.rewritten(&whole).expect("it is read").expect("it is old");
        let expected = doc! { "_id": "a", "was": { "_id": 1, "count": 6, "layout": 3 }, "at": 7 };
        assert_eq!(Document::try_from(&*rewritten).expect("a document"), expected);
    }
}
