use bson::{Document, doc};
use contracts::{EmployeeId, Failure, SettlementChanged, WINDOW_MOST};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::{AdjustmentStore, LockStore, PeriodStore, ReservationStore, locks::StoredLock};
use crate::domain::{Settled, SettledBy, Worked};

/// The number of guard documents. With fewer, changes of different employees' windows would
/// conflict more often.
const GUARDS: i32 = 64;

/// A guard document. Each employee has one, which other employees may share. Every transaction that
/// depends on which time of an employee is settled writes to it, and so does every transaction that
/// settles or reopens the employee's time. So two such transactions conflict: one comes first, and
/// the other reads its result.
#[derive(Debug, Serialize, Deserialize)]
struct Guard {
    #[serde(rename = "_id")]
    id: i32,
    touched: i64,
}

/// The settled time, read from locks, periods, adjustments and reservations. Its guard documents
/// order the transactions that settle time and those that change windows.
#[derive(Clone, Debug)]
pub(crate) struct SettlementStore {
    guards: Collection<Guard>,
    locks: LockStore,
    periods: PeriodStore,
    adjustments: AdjustmentStore,
    reservations: ReservationStore,
}

impl SettlementStore {
    pub(super) fn shape() -> Shape {
        ("guards", Vec::new())
    }

    pub(super) fn open(
        db: &Database,
        locks: LockStore,
        periods: PeriodStore,
        adjustments: AdjustmentStore,
        reservations: ReservationStore,
    ) -> Self {
        Self { guards: db.collection("guards"), locks, periods, adjustments, reservations }
    }

    /// Inserts the guard documents that are missing.
    pub(crate) async fn prepare(&self) -> Result<(), Error> {
        let guards = (0..GUARDS).map(|id| Guard { id, touched: 0 });
        match self.guards.insert_many(guards).ordered(false).await {
            Err(error) if !mongo::is_duplicate(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// All settlements with their versions, including periods and locks that settle nothing now.
    pub(crate) async fn all(&self) -> Result<Vec<SettlementChanged>, Error> {
        let mut all = self.periods.settlements(doc! {}).await?;
        all.extend(self.adjustments.settlements(doc! {}).await?);
        all.extend(self.reservations.settlements().await?);
        all.extend(self.locks.all().await?.iter().map(StoredLock::settlement));
        Ok(all)
    }

    /// The time that is settled now, as far as it matters for these time ranges.
    pub(crate) async fn of(&self, worked: &[Worked]) -> Result<Settled, Error> {
        let mut all = self.locks.all().await?.iter().map(StoredLock::settlement).collect::<Vec<_>>();
        if let Some(these) = periods_of(worked) {
            all.extend(self.periods.settlements(these).await?);
        }
        if let Some(these) = adjustments_of(worked) {
            all.extend(self.adjustments.settlements(these).await?);
        }
        all.extend(self.reservations.settlements().await?);
        Ok(all.into_iter().collect())
    }

    /// The error for a change in settled time.
    pub(crate) async fn refusal(&self, by: SettledBy) -> Result<Failure, Error> {
        let SettledBy::Period(id) = by else { return Ok(by.refusal()) };
        match self.periods.find(id).await? {
            Some(period) if period.pay_run.is_some() => Ok(SettledBy::refusal_of_paid(id)),
            // A closing period may be open again in a moment, so the caller should try again.
            Some(period) if period.closing.is_some() => Ok(SettledBy::refusal_of_closing(id)),
            _ => Ok(by.refusal()),
        }
    }

    /// The time that is settled, as far as it matters for these time ranges, for a transaction that
    /// changes windows there. If a concurrent transaction settles some of that time, one of the two
    /// is run again.
    pub(crate) async fn hold(&self, tx: &mut Tx<'_>, worked: &[Worked]) -> Result<Settled, Error> {
        self.touch(tx, worked.iter().map(|one| one.employee)).await?;
        let mut all = self.locks.all_in(tx).await?.iter().map(StoredLock::settlement).collect::<Vec<_>>();
        if let Some(these) = periods_of(worked) {
            all.extend(self.periods.settlements_in(tx, these).await?);
        }
        if let Some(these) = adjustments_of(worked) {
            all.extend(self.adjustments.settlements_in(tx, these).await?);
        }
        all.extend(self.reservations.settlements_in(tx).await?);
        Ok(all.into_iter().collect())
    }

    /// All settlements that settle some time now, read in a transaction.
    pub(crate) async fn all_in(&self, tx: &mut Tx<'_>) -> Result<Vec<SettlementChanged>, Error> {
        let mut all = self.periods.settlements_in(tx, doc! { "settles": true }).await?;
        all.extend(self.adjustments.settlements_in(tx, doc! {}).await?);
        all.extend(self.reservations.settlements_in(tx).await?);
        let locks = self.locks.all_in(tx).await?;
        all.extend(locks.iter().filter(|lock| lock.until.is_some()).map(StoredLock::settlement));
        Ok(all)
    }

    /// Makes this transaction conflict with every other one that touches the guard documents of
    /// these employees: those that settle or reopen their time, and those that call [`Self::hold`].
    pub(crate) async fn touch(
        &self,
        tx: &mut Tx<'_>,
        employees: impl IntoIterator<Item = EmployeeId>,
    ) -> Result<(), Error> {
        let guard = |employee: EmployeeId| (employee.0.as_u128() % GUARDS as u128) as i32;
        let mut guards: Vec<i32> = employees.into_iter().map(guard).collect();
        guards.sort_unstable();
        guards.dedup();
        self.touch_these(tx, doc! { "_id": { "$in": guards } }).await
    }

    /// Makes this transaction conflict with every other one that touches the guard document of any
    /// employee.
    pub(crate) async fn touch_all(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.touch_these(tx, doc! {}).await
    }

    async fn touch_these(&self, tx: &mut Tx<'_>, these: Document) -> Result<(), Error> {
        self.guards.update_many(these, doc! { "$inc": { "touched": 1 } }).session(&mut tx.session).await?;
        Ok(())
    }
}

/// Matches the periods that may settle some of these time ranges: those of these employees between
/// the first start and the last end.
fn periods_of(worked: &[Worked]) -> Option<Document> {
    let start = worked.iter().map(|one| one.range.start()).min()?;
    let end = worked.iter().map(|one| one.range.end()).max()?;
    Some(doc! {
        "employee": mongo::one_of(worked.iter().map(|one| one.employee)),
        "start": { "$lt": end.0 },
        "end": { "$gt": start.0 },
        "settles": true,
    })
}

/// Matches the adjustments that may settle some of these time ranges.
fn adjustments_of(worked: &[Worked]) -> Option<Document> {
    let start = worked.iter().map(|one| one.range.start()).min()?;
    let end = worked.iter().map(|one| one.range.end()).max()?;
    Some(doc! {
        "employee": mongo::one_of(worked.iter().map(|one| one.employee)),
        "window.start": { "$gt": (start - WINDOW_MOST).0, "$lt": end.0 },
    })
}
