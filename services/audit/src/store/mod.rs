//! The MongoDB collections of this service. The code never changes or deletes documents, and the user of the
//! service may not.

mod chain;
mod listing;
mod marks;
mod stored;
mod verifying;

use kit::{Database, Shape};

pub(crate) use self::{chain::ChainStore, marks::MarkStore, verifying::verify};

/// The collections.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The entries.
    pub(crate) chain: ChainStore,
    /// How far the stream was read.
    pub(crate) marks: MarkStore,
}

impl Store {
    /// The collections with their indexes, for `provision`.
    pub(crate) fn shapes() -> [Shape; 2] {
        [ChainStore::shape(), MarkStore::shape()]
    }

    /// Opens the collections.
    pub(crate) fn open(db: &Database) -> Self {
        Self { chain: ChainStore::open(db), marks: MarkStore::open(db) }
    }
}
