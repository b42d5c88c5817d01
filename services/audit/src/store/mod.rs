//! The MongoDB collections of this service. The code never updates or deletes documents, and the
//! MongoDB user of the service has no right to do so.

mod chain;
mod listing;
mod marks;
mod stored;
mod verifying;

use kit::{Database, Shape};

pub(crate) use self::{chain::ChainStore, marks::MarkStore, verifying::verify};

/// All collections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The entries of the trail.
    pub(crate) chain: ChainStore,
    /// The marks that say how far EVENTS was read.
    pub(crate) marks: MarkStore,
}

impl Store {
    /// The names of the collections with their indexes, which `provision` creates.
    pub(crate) fn shapes() -> [Shape; 2] {
        [ChainStore::shape(), MarkStore::shape()]
    }

    /// The collections in this database.
    pub(crate) fn open(db: &Database) -> Self {
        Self { chain: ChainStore::open(db), marks: MarkStore::open(db) }
    }
}
