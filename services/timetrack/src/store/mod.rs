//! The only place with MongoDB.

mod bindings;
mod corrections;
mod quarantine;
mod settings;
mod spans;
mod updates;
mod windows;

use kit::{Database, Shape};

pub(crate) use self::{
    bindings::BindingStore,
    corrections::{CorrectionStore, StoredCorrection},
    quarantine::QuarantineStore,
    settings::SettingsStore,
    spans::Party,
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
    /// What the organisation has chosen.
    pub(crate) settings: SettingsStore,
    /// What employees have asked to be corrected.
    pub(crate) corrections: CorrectionStore,
}

impl Store {
    /// The collections as they must be, with their indexes.
    pub(crate) fn shapes() -> [Shape; 7] {
        let [windows, history] = WindowStore::shapes();
        [
            BindingStore::shape(),
            windows,
            history,
            QuarantineStore::shape(),
            UpdateStore::shape(),
            SettingsStore::shape(),
            CorrectionStore::shape(),
        ]
    }

    /// The collections, which are there.
    pub(crate) fn open(db: &Database) -> Self {
        Self {
            bindings: BindingStore::open(db),
            windows: WindowStore::open(db),
            quarantine: QuarantineStore::open(db),
            updates: UpdateStore::open(db),
            settings: SettingsStore::open(db),
            corrections: CorrectionStore::open(db),
        }
    }
}
