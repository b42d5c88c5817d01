//! The only place with MongoDB.

mod adjustments;
mod bindings;
mod countable;
mod locks;
mod pay_runs;
mod periods;
mod quarantine;
mod settings;
mod settlements;
mod spans;
mod updates;
mod windows;
mod workers;

use kit::{Database, Shape};

pub(crate) use self::{
    adjustments::{AdjustmentStore, StoredAdjustment},
    bindings::BindingStore,
    locks::{LockStore, StoredLock},
    pay_runs::{PayRunStore, StoredPayRun},
    periods::{Closing, PeriodStore, StoredPeriod},
    quarantine::QuarantineStore,
    settings::SettingsStore,
    settlements::SettlementStore,
    spans::Party,
    updates::{UpdateJob, UpdateStore},
    windows::{StoredWindow, Stretch, WindowStore},
    workers::{LEASE, WorkerStore},
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
    /// The pay periods about which somebody has done something.
    pub(crate) periods: PeriodStore,
    /// What came late and was admitted.
    pub(crate) adjustments: AdjustmentStore,
    /// What was paid together.
    pub(crate) pay_runs: PayRunStore,
    /// Up to when all is settled.
    pub(crate) locks: LockStore,
    /// What is settled by either.
    pub(crate) settlements: SettlementStore,
    /// The processes that record windows.
    pub(crate) workers: WorkerStore,
}

impl Store {
    /// The collections as they must be, with their indexes.
    pub(crate) fn shapes() -> [Shape; 12] {
        let [windows, history] = WindowStore::shapes();
        [
            BindingStore::shape(),
            windows,
            history,
            QuarantineStore::shape(),
            UpdateStore::shape(),
            SettingsStore::shape(),
            PeriodStore::shape(),
            LockStore::shape(),
            SettlementStore::shape(),
            WorkerStore::shape(),
            AdjustmentStore::shape(),
            PayRunStore::shape(),
        ]
    }

    /// The collections, which are there.
    pub(crate) fn open(db: &Database) -> Self {
        let (locks, periods) = (LockStore::open(db), PeriodStore::open(db));
        Self {
            settlements: SettlementStore::open(db, locks.clone(), periods.clone()),
            locks,
            periods,
            workers: WorkerStore::open(db),
            adjustments: AdjustmentStore::open(db),
            pay_runs: PayRunStore::open(db),
            bindings: BindingStore::open(db),
            windows: WindowStore::open(db),
            quarantine: QuarantineStore::open(db),
            updates: UpdateStore::open(db),
            settings: SettingsStore::open(db),
        }
    }
}
