//! MongoDB: the facts as the events tell them, and the days recomputed from them.

mod bulk;
mod days;
mod facts;
mod money;

use kit::{Database, Error};

pub(crate) use days::Days;
pub(crate) use facts::Facts;

/// What this service keeps.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) facts: Facts,
    pub(crate) days: Days,
}

impl Store {
    /// Opens the collections, and makes their indexes.
    pub(crate) async fn open(db: &Database) -> Result<Self, Error> {
        Ok(Self { facts: Facts::open(db).await?, days: Days::open(db).await? })
    }
}
