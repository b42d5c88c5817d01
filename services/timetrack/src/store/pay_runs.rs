use bson::doc;
use contracts::{AdjustedSum, Cents, Millis, PayRun, PayRunId, TimeRange};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::StoredPeriod;

/// The document of a pay run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPayRun {
    #[serde(rename = "_id")]
    pub(crate) id: PayRunId,
    start: Millis,
    end: Millis,
    created_at: Millis,
    created_by: Option<String>,
    period_count: i64,
    time: i64,
    costs: Cents,
    income: Cents,
    adjusted: AdjustedSum,
    /// Whether all windows of the paid periods are marked as paid.
    pub(crate) marked: bool,
}

impl StoredPayRun {
    /// A new pay run for these periods, with their sums.
    pub(crate) fn new(
        id: PayRunId,
        range: TimeRange,
        periods: &[StoredPeriod],
        created_at: Millis,
        created_by: Option<String>,
    ) -> Self {
        let mut adjusted = AdjustedSum::default();
        periods.iter().filter_map(|period| period.adjusted).for_each(|one| adjusted += one);
        let sums = || periods.iter().filter_map(|period| period.sum);
        Self {
            id,
            start: range.start(),
            end: range.end(),
            created_at,
            created_by,
            period_count: periods.len() as i64,
            time: sums().map(|sum| sum.time).sum(),
            costs: Cents(sums().map(|sum| sum.costs.0).sum()),
            income: Cents(sums().map(|sum| sum.income.0).sum()),
            adjusted,
            marked: false,
        }
    }

    /// The pay run as the API returns it.
    pub(crate) fn shown(self) -> PayRun {
        PayRun {
            id: self.id,
            start: self.start,
            end: self.end,
            created_at: self.created_at,
            created_by: self.created_by,
            period_count: self.period_count as u64,
            time: self.time,
            costs: self.costs,
            income: self.income,
            adjustment_time: self.adjusted.time,
            adjustment_costs: self.adjusted.costs,
            adjustment_income: self.adjusted.income,
        }
    }
}

/// The collection of pay runs.
#[derive(Clone, Debug)]
pub(crate) struct PayRunStore(Collection<StoredPayRun>);

impl PayRunStore {
    pub(super) fn shape() -> Shape {
        ("pay_runs", vec![mongo::index(doc! { "start": 1, "end": 1, "_id": 1 }), mongo::index(doc! { "marked": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("pay_runs"))
    }

    /// Inserts a new pay run.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, run: &StoredPayRun) -> Result<(), Error> {
        self.0.insert_one(run).session(&mut tx.session).await?;
        Ok(())
    }

    /// The last pay run with exactly this range, read in a transaction.
    pub(crate) async fn last_of(&self, tx: &mut Tx<'_>, range: TimeRange) -> Result<Option<StoredPayRun>, Error> {
        let these = doc! { "start": range.start().0, "end": range.end().0 };
        Ok(self.0.find_one(these).sort(doc! { "_id": -1 }).session(&mut tx.session).await?)
    }

    /// Finds one pay run.
    pub(crate) async fn find(&self, id: PayRunId) -> Result<Option<StoredPayRun>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).await?)
    }

    /// The pay runs after this id, the oldest first: one more than a page has.
    pub(crate) async fn all(
        &self,
        after: Option<PayRunId>,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredPayRun>> + use<>, Error> {
        let after = after.map(|id| doc! { "_id": { "$gt": mongo::value(&id) } }).unwrap_or_default();
        Ok(self.0.find(after).sort(doc! { "_id": 1 }).limit(kit::PAGE_MOST as i64 + 1).await?)
    }

    /// The pay runs whose windows are not all marked as paid.
    pub(crate) async fn unmarked(&self) -> Result<Vec<StoredPayRun>, Error> {
        Ok(self.0.find(doc! { "marked": false }).await?.try_collect().await?)
    }

    /// Stores that all windows of a pay run are marked as paid.
    pub(crate) async fn mark(&self, id: PayRunId) -> Result<(), Error> {
        self.0.update_one(doc! { "_id": mongo::value(&id) }, doc! { "$set": { "marked": true } }).await?;
        Ok(())
    }
}
