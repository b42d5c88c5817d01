//! The only place with MongoDB. Nothing here changes or deletes what is stored, and the service's
//! user may not.

mod chain;
mod listing;
mod marks;
mod stored;
mod verifying;

use kit::{Database, Shape};

pub(crate) use self::{chain::ChainStore, marks::MarkStore, verifying::verify};

/// The collections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The entries.
    pub(crate) chain: ChainStore,
    /// Up to where the stream was read.
    pub(crate) marks: MarkStore,
}

impl Store {
    /// The collections as they must be, with their indexes.
    pub(crate) fn shapes() -> [Shape; 2] {
        [ChainStore::shape(), MarkStore::shape()]
    }

    /// The collections, which are there.
    pub(crate) fn open(db: &Database) -> Self {
        Self { chain: ChainStore::open(db), marks: MarkStore::open(db) }
    }
}
