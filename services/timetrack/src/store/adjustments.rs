use bson::{Document, doc};
use contracts::{
    AdjustedSum, Adjustment, EmployeeId, ListAdjustments, Millis, SettledTime, SettlementChanged, TimeMark, TimeRange,
    WINDOW_MOST, Window, WindowId,
};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The document of an adjustment: a window that was admitted after its time was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredAdjustment {
    #[serde(rename = "_id")]
    pub(crate) id: WindowId,
    pub(crate) employee: EmployeeId,
    /// The moment at which the adjustment counts, in time that was open when it was made.
    pub(crate) counts_at: Millis,
    /// The parts of the window that were in settled time.
    pub(crate) parts: Vec<TimeRange>,
    /// The parts that the adjustment counts. They stay settled, so no other window counts there,
    /// even if the time is reopened.
    #[serde(default)]
    pub(crate) counted: Vec<TimeRange>,
    /// The time and money that the adjustment adds.
    pub(crate) sum: AdjustedSum,
    pub(crate) hash: TimeMark,
    /// The admitted window, with the start and end of the work.
    pub(crate) window: Window,
}

/// The fields of an adjustment that say which time it settles.
#[derive(Debug, Deserialize)]
struct Counted {
    #[serde(rename = "_id")]
    id: WindowId,
    employee: EmployeeId,
    #[serde(default)]
    counted: Vec<TimeRange>,
}

impl Counted {
    fn settlements(&self) -> impl Iterator<Item = SettlementChanged> {
        let Self { id, employee, .. } = *self;
        self.counted.iter().map(move |stretch| {
            let (start, end) = (Some(stretch.start()), stretch.end());
            let settles = Some(SettledTime { employee_id: Some(employee), project_id: None, start, end });
            SettlementChanged { id: format!("{id}_{}", stretch.start()), version: 1, settles }
        })
    }
}

impl StoredAdjustment {
    /// The settlements that workers read. The time that the adjustment counts stays settled
    /// forever.
    pub(crate) fn settlements(&self) -> Vec<SettlementChanged> {
        let Self { id, employee, ref counted, .. } = *self;
        Counted { id, employee, counted: counted.clone() }.settlements().collect()
    }

    /// The time that no other window may count. If `counted` is empty although the adjustment adds
    /// time, this is all settled time of the window. `counted` is empty with `COUNT_OVERLAPS`, and
    /// in documents that earlier versions of the program wrote.
    pub(crate) fn counting(self) -> Vec<TimeRange> {
        if self.counted.is_empty() && self.sum.time > 0 { self.parts } else { self.counted }
    }

    /// The adjustment as the API returns it.
    pub(crate) fn shown(self) -> Adjustment {
        Adjustment {
            id: self.id,
            employee_id: self.employee,
            project_id: self.window.project_id,
            task_id: self.window.task_id,
            start: self.window.start,
            end: self.window.end,
            counts_at: self.counts_at,
            sum: self.sum,
            hash: self.hash,
        }
    }
}

/// The collection of adjustments. They never change, except that they are marked as paid.
#[derive(Clone, Debug)]
pub(crate) struct AdjustmentStore(Collection<StoredAdjustment>);

impl AdjustmentStore {
    pub(super) fn shape() -> Shape {
        let by_moment = mongo::index(doc! { "counts_at": 1, "_id": 1 });
        let by_employee = mongo::index(doc! { "employee": 1, "counts_at": 1 });
        let by_window = mongo::index(doc! { "employee": 1, "window.start": 1 });
        ("adjustments", vec![by_moment, by_employee, by_window])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("adjustments"))
    }

    /// Finds one adjustment: of this employee, or of any employee if none is given.
    pub(crate) async fn find(
        &self,
        id: WindowId,
        employee: Option<EmployeeId>,
    ) -> Result<Option<StoredAdjustment>, Error> {
        let mut filter = doc! { "_id": mongo::value(&id) };
        if let Some(employee) = employee {
            filter.insert("employee", mongo::value(&employee));
        }
        Ok(self.0.find_one(filter).await?)
    }

    /// Finds one adjustment of any employee, in a transaction.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: WindowId) -> Result<Option<StoredAdjustment>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).session(&mut tx.session).await?)
    }

    /// The adjustments with these ids. Unknown ids are left out.
    pub(crate) async fn these(&self, ids: &[WindowId]) -> Result<Vec<StoredAdjustment>, Error> {
        Ok(self.0.find(doc! { "_id": mongo::one_of(ids) }).await?.try_collect().await?)
    }

    /// Inserts a new adjustment.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, adjustment: &StoredAdjustment) -> Result<(), Error> {
        self.0.insert_one(adjustment).session(&mut tx.session).await?;
        Ok(())
    }

    /// An employee's adjustments that count in a range.
    pub(crate) async fn counting(
        &self,
        employee: EmployeeId,
        range: TimeRange,
    ) -> Result<Vec<StoredAdjustment>, Error> {
        Ok(self.0.find(counting(employee, range)).await?.try_collect().await?)
    }

    /// An employee's adjustments that count in a range, read in a transaction.
    pub(crate) async fn counting_in(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        range: TimeRange,
    ) -> Result<Vec<StoredAdjustment>, Error> {
        self.all_in(tx, counting(employee, range)).await
    }

    /// An employee's adjustments whose work may be in this range, read in a transaction: those
    /// whose window starts in the range, or up to 24 hours before it.
    pub(crate) async fn belonging(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        range: TimeRange,
    ) -> Result<Vec<StoredAdjustment>, Error> {
        let filter = doc! {
            "employee": mongo::value(&employee),
            "window.start": { "$gt": (range.start() - WINDOW_MOST).0, "$lt": range.end().0 },
        };
        self.all_in(tx, filter).await
    }

    async fn all_in(&self, tx: &mut Tx<'_>, filter: Document) -> Result<Vec<StoredAdjustment>, Error> {
        let mut found = self.0.find(filter).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(adjustment) = found.next(&mut tx.session).await {
            all.push(adjustment?);
        }
        Ok(all)
    }

    /// The settlements of the adjustments that match this filter.
    pub(super) async fn settlements(&self, these: Document) -> Result<Vec<SettlementChanged>, Error> {
        let rows = self.0.clone_with_type::<Counted>().find(these).projection(settling()).batch_size(10_000).await?;
        let rows: Vec<Counted> = rows.try_collect().await?;
        Ok(rows.iter().flat_map(Counted::settlements).collect())
    }

    /// The settlements of the adjustments that match this filter, read in a transaction.
    pub(super) async fn settlements_in(
        &self,
        tx: &mut Tx<'_>,
        these: Document,
    ) -> Result<Vec<SettlementChanged>, Error> {
        let rows = self.0.clone_with_type::<Counted>();
        let mut rows = rows.find(these).projection(settling()).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next(&mut tx.session).await {
            all.extend(row?.settlements());
        }
        Ok(all)
    }

    /// The requested employees' adjustments that count in a range, ordered by the moment at which
    /// they count and by id: one more than a page has.
    pub(crate) async fn listed(
        &self,
        asked: &ListAdjustments,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredAdjustment>> + use<>, Error> {
        let (start, end) = (asked.range.start().0, asked.range.end().0);
        let mut filter = doc! { "counts_at": { "$gte": start, "$lt": end } };
        if !asked.employees.is_empty() {
            filter.insert("employee", mongo::one_of(&asked.employees));
        }
        if let Some(after) = asked.after {
            filter.insert(
                "$or",
                vec![
                    doc! { "counts_at": { "$gt": after.counts_at.0 } },
                    doc! { "counts_at": after.counts_at.0, "_id": { "$gt": mongo::value(&after.id) } },
                ],
            );
        }
        let order = doc! { "counts_at": 1, "_id": 1 };
        Ok(self.0.find(filter).sort(order).limit(kit::PAGE_MOST as i64 + 1).await?)
    }

    /// Marks an employee's adjustments that count in a range as paid.
    pub(crate) async fn pay(&self, employee: EmployeeId, range: TimeRange) -> Result<(), Error> {
        self.0.update_many(counting(employee, range), doc! { "$set": { "window.paid": true } }).await?;
        Ok(())
    }
}

fn settling() -> Document {
    doc! { "employee": 1, "counted": 1 }
}

fn counting(employee: EmployeeId, range: TimeRange) -> Document {
    doc! {
        "employee": mongo::value(&employee),
        "counts_at": { "$gte": range.start().0, "$lt": range.end().0 },
    }
}
