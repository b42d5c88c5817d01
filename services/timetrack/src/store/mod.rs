//! The only place with MongoDB.

mod bindings;
mod quarantine;
mod updates;
mod windows;

use kit::{Database, Error};

pub(crate) use self::{
    bindings::BindingStore,
    quarantine::{Held, QuarantineStore},
    updates::{UpdateJob, UpdateStore},
    windows::{StoredWindow, Stretch, WindowStore},
};

/// The collections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// Who may track on what, as other services say it.
    pub(crate) bindings: BindingStore,
    /// What was recorded.
    pub(crate) windows: WindowStore,
    /// What may not be recorded, or not yet.
    pub(crate) quarantine: QuarantineStore,
    /// The bulk updates that are under way.
    pub(crate) updates: UpdateStore,
}

impl Store {
    pub(crate) async fn open(db: &Database) -> Result<Self, Error> {
        Ok(Self {
            bindings: BindingStore::open(db),
            windows: WindowStore::open(db).await?,
            quarantine: QuarantineStore::open(db).await?,
            updates: UpdateStore::open(db).await?,
        })
    }
}
