//! The only place with MongoDB.

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
    reservations::{Reservation, ReservationStore},
    settings::SettingsStore,
    settlements::SettlementStore,
    spans::Party,
    stored_window::StoredWindow,
    updates::{UpdateJob, UpdateStore},
    windows::{Doing, Stretch, WindowStore},
    workers::{LEASE, WorkerStore},
};

/// What has been laid out in other ways before.
pub(crate) const LAYOUTS: [Layout; 2] = [stored_window::WINDOWS, stored_window::FORMER_WINDOWS];

/// The collections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// In which layouts it is written.
    pub(crate) layouts: Layouts,
    /// Who may track on what, as other services say it.
    pub(crate) bindings: BindingStore,
    /// What was recorded.
    pub(crate) windows: WindowStore,
    /// What may not be recorded, or not yet.
    pub(crate) quarantine: QuarantineStore,
    /// The bulk updates that are under way.
    pub(crate) updates: UpdateStore,
    /// The jobs that price windows anew.
    pub(crate) reprices: RepriceStore,
    /// What the organisation has chosen.
    pub(crate) settings: SettingsStore,
    /// The pay periods about which somebody has done something.
    pub(crate) periods: PeriodStore,
    /// What came late and was admitted.
    pub(crate) adjustments: AdjustmentStore,
    /// What is kept free for windows that are being admitted.
    pub(crate) reservations: ReservationStore,
    /// What was paid together.
    pub(crate) pay_runs: PayRunStore,
    /// Up to when all is settled.
    pub(crate) locks: LockStore,
    /// What is settled by either.
    pub(crate) settlements: SettlementStore,
    /// The processes that record windows.
    pub(crate) workers: WorkerStore,
    /// What employees have asked to be corrected.
    pub(crate) corrections: CorrectionStore,
}

impl Store {
    /// The collections as they must be, with their indexes.
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

    /// The parties to these windows, and by what their time is priced.
    pub(crate) async fn priced_parties(&self, items: &[&IngestItem]) -> Result<Bindings, Error> {
        let (bindings, settings) = futures::try_join!(self.bindings.of_priced(items), self.settings.get())?;
        Ok(bindings.in_zone(settings.timezone))
    }

    /// By what these windows are priced.
    pub(crate) async fn prices_of(&self, windows: &[StoredWindow]) -> Result<Bindings, Error> {
        let keys = windows.iter().flat_map(|StoredWindow { window, .. }| {
            let scopes = RateScope::of_work(window.employee_id, window.project_id, window.task_id);
            scopes.map(BindingKey::Rates).into_iter().chain([BindingKey::Project(window.project_id)])
        });
        let (bindings, settings) = futures::try_join!(self.bindings.of_prices(keys.collect()), self.settings.get())?;
        Ok(bindings.in_zone(settings.timezone))
    }

    /// The collections, which are there.
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
