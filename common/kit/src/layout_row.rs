use bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use crate::Layout;

/// The stored state of a collection's layout.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(rename = "_id")]
    pub(crate) collection: String,
    /// The layout that every process writes once it has read this row.
    pub(crate) written: i32,
    /// Every document has this layout or a later one.
    pub(crate) everywhere: i32,
    /// The progress of the migration that is running, if any.
    pub(crate) round: Option<Round>,
}

/// The progress of one pass over a collection, in the order of ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// The last id that the pass has handled; none at its beginning.
    pub(crate) after: Option<Bson>,
    pub(crate) seen: i64,
    pub(crate) changed: i64,
    /// The number of documents when the pass began.
    pub(crate) of: i64,
}

impl Round {
    /// The number of documents that the pass has not read yet. It is at least 1: before its end, more documents may
    /// have been added than were there at its beginning.
    pub(crate) fn left(&self) -> u64 {
        (self.of - self.seen).max(1) as u64
    }
}

/// Selects the row of a collection.
pub(crate) fn row_of(layout: &Layout) -> Document {
    doc! { "_id": layout.collection() }
}
