//! The MongoDB collections. No other module uses the MongoDB driver.

mod adjustments;
mod bindings;
mod corrections;
mod countable;
mod locks;
mod pay_runs;
mod periods;
mod quarantine;
mod reprices;
mod reservations;
mod settings;
mod settlements;
mod spans;
mod stored_window;
mod updates;
mod window_facts;
mod window_updates;
mod windows;
mod workers;

use contracts::{IngestItem, RateScope};
use kit::{Database, Error, Layout, Layouts, Shape};

use crate::domain::{BindingKey, Bindings};

pub(crate) use self::{
    adjustments::{AdjustmentStore, StoredAdjustment},
    bindings::BindingStore,
    corrections::{CorrectionStore, StoredCorrection},
    locks::{LockStore, StoredLock},
    pay_runs::{PayRunStore, StoredPayRun},
    periods::{Closing, PeriodStore, StoredPeriod},
    quarantine::QuarantineStore,
    reprices::{RepriceStore, Repricing},
    reservations::ReservationStore,
    settings::SettingsStore,
    settlements::SettlementStore,
    spans::Party,
    stored_window::StoredWindow,
    updates::{UpdateJob, UpdateStore},
    windows::{Doing, Stretch, WindowStore, Worked},
    workers::{LEASE, WorkerStore},
};

/// The kinds of documents whose layout has changed.
pub(crate) const LAYOUTS: [Layout; 2] = [stored_window::WINDOWS, stored_window::FORMER_WINDOWS];

/// All collections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The layouts in which documents are written.
    pub(crate) layouts: Layouts,
    /// The bindings: copies of the data of directory and projects.
    pub(crate) bindings: BindingStore,
    /// The recorded windows.
    pub(crate) windows: WindowStore,
    /// The quarantined windows.
    pub(crate) quarantine: QuarantineStore,
    /// The bulk updates.
    pub(crate) updates: UpdateStore,
    /// The repricing jobs.
    pub(crate) reprices: RepriceStore,
    /// The settings of the organisation.
    pub(crate) settings: SettingsStore,
    /// The pay periods that were submitted, sent back, approved or closed.
    pub(crate) periods: PeriodStore,
    /// The adjustments.
    pub(crate) adjustments: AdjustmentStore,
    /// The time that is reserved for windows that are being admitted.
    pub(crate) reservations: ReservationStore,
    /// The pay runs.
    pub(crate) pay_runs: PayRunStore,
    /// The locks.
    pub(crate) locks: LockStore,
    /// The settled time, read from locks, periods, adjustments and reservations.
    pub(crate) settlements: SettlementStore,
    /// The processes that record windows.
    pub(crate) workers: WorkerStore,
    /// The requested corrections.
    pub(crate) corrections: CorrectionStore,
}

impl Store {
    /// The names of the collections with their indexes, which `provision` creates.
    pub(crate) fn shapes() -> [Shape; 16] {
        let [windows, history] = WindowStore::shapes();
        [
            Layouts::shape(),
            BindingStore::shape(),
            windows,
            history,
            QuarantineStore::shape(),
            UpdateStore::shape(),
            RepriceStore::shape(),
            SettingsStore::shape(),
            PeriodStore::shape(),
            LockStore::shape(),
            SettlementStore::shape(),
            WorkerStore::shape(),
            CorrectionStore::shape(),
            AdjustmentStore::shape(),
            ReservationStore::shape(),
            PayRunStore::shape(),
        ]
    }

    /// The bindings of these windows, with their rates and the time zone.
    pub(crate) async fn priced_parties(&self, items: &[&IngestItem]) -> Result<Bindings, Error> {
        let (bindings, settings) = futures::try_join!(self.bindings.of_priced(items), self.settings.get())?;
        Ok(bindings.in_zone(settings.timezone))
    }

    /// The projects and rates of these windows, with the time zone.
    pub(crate) async fn prices_of(&self, windows: &[StoredWindow]) -> Result<Bindings, Error> {
        let keys = windows.iter().flat_map(|StoredWindow { window, .. }| {
            let scopes = RateScope::of_work(window.employee_id, window.project_id, window.task_id);
            scopes.map(BindingKey::Rates).into_iter().chain([BindingKey::Project(window.project_id)])
        });
        let (bindings, settings) = futures::try_join!(self.bindings.of_prices(keys.collect()), self.settings.get())?;
        Ok(bindings.in_zone(settings.timezone))
    }

    /// The collections in this database.
    pub(crate) fn open(db: &Database) -> Self {
        let (locks, periods, adjustments) = (LockStore::open(db), PeriodStore::open(db), AdjustmentStore::open(db));
        let reservations = ReservationStore::open(db);
        let layouts = Layouts::open(db, &LAYOUTS);
        Self {
            settlements: SettlementStore::open(
                db,
                locks.clone(),
                periods.clone(),
                adjustments.clone(),
                reservations.clone(),
            ),
            locks,
            periods,
            workers: WorkerStore::open(db, layouts.clone()),
            adjustments,
            reservations,
            pay_runs: PayRunStore::open(db),
            bindings: BindingStore::open(db),
            windows: WindowStore::open(db, layouts.clone()),
            layouts,
            quarantine: QuarantineStore::open(db),
            updates: UpdateStore::open(db),
            reprices: RepriceStore::open(db),
            settings: SettingsStore::open(db),
            corrections: CorrectionStore::open(db),
        }
    }
}
