use bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use crate::Layout;

/// The stored document about the layout of a collection.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(rename = "_id")]
    pub(crate) collection: String,
    /// The layout in which every process writes documents once it has read this row.
    pub(crate) written: i32,
    /// Every document of the collection has at least this layout.
    pub(crate) everywhere: i32,
    /// The progress of the migration that is running, if any.
    pub(crate) round: Option<Round>,
}

/// The progress of one pass of a migration over a collection, in the order of ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// The id of the last document that the pass has processed. None at the beginning of the pass.
    pub(crate) after: Option<Bson>,
    pub(crate) seen: i64,
    pub(crate) changed: i64,
    /// The number of documents when the pass began.
    pub(crate) of: i64,
}

impl Round {
    /// The number of documents that the pass has not read yet. It is at least 1 while the pass
    /// runs, because documents may have been added since the pass began.
    pub(crate) fn left(&self) -> u64 {
        (self.of - self.seen).max(1) as u64
    }
}

/// The filter that selects the row of a collection.
pub(crate) fn row_of(layout: &Layout) -> Document {
    doc! { "_id": layout.collection() }
}
