use bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use crate::Layout;

/// The stored state of a collection's layout.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(rename = "_id")]
    pub(crate) collection: String,
    /// The layout that all processes write, as soon as they have read this row.
    pub(crate) written: i32,
    /// Every document has this layout or a later one.
    pub(crate) everywhere: i32,
    /// The progress of a migration; nothing while there is none.
    pub(crate) round: Option<Round>,
}

/// How far a round through a collection is, in the order of ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    /// All up to this id are done.
    pub(crate) after: Option<Bson>,
    pub(crate) seen: i64,
    pub(crate) changed: i64,
    /// How many documents there were when it began.
    pub(crate) of: i64,
}

impl Round {
    /// How many documents it has still to look at; one, where it has not come to its end and there are more
    /// than there were.
    pub(crate) fn left(&self) -> u64 {
        (self.of - self.seen).max(1) as u64
    }
}

/// Selects the row of a collection.
pub(crate) fn row_of(layout: &Layout) -> Document {
    doc! { "_id": layout.collection() }
}
