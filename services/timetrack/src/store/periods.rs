use bson::{Document, doc};
use contracts::{
    AdjustedSum, DAY, EmployeeId, EventId, KnownPeriod, ListPeriods, Millis, Note, PayRunId, PaySpan, PeriodId,
    PeriodStatus, PeriodSum, SettledTime, SettlementChanged, TimeMark, TimeRange,
};
use futures::{Stream, TryStreamExt};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The length that no pay period exceeds, in milliseconds.
const LONGEST: i64 = 32 * DAY;

/// The document of a pay period that was submitted, sent back, approved or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPeriod {
    #[serde(rename = "_id")]
    pub(crate) id: PeriodId,
    pub(crate) employee: EmployeeId,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    pub(crate) status: PeriodStatus,
    /// Whether the period settles its time, because it is approved or closing.
    pub(crate) settles: bool,
    /// The version, which every change increases by one.
    pub(crate) version: i64,
    /// The approval in progress; none if the period is not closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closing: Option<Closing>,
    /// The final sum of an approved period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sum: Option<PeriodSum>,
    /// The final sum of the adjustments of an approved period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adjusted: Option<AdjustedSum>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) submitted_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) submitted_hash: Option<TimeMark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approved_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) approved_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Note>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pay_run: Option<PayRunId>,
}

/// An approval in progress. Meanwhile nothing is recorded in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Closing {
    /// The id of this attempt to approve the period.
    pub(crate) attempt: EventId,
    /// The moment after which the attempt counts as abandoned.
    pub(crate) until: Millis,
}

impl StoredPeriod {
    /// An open period that is not stored yet.
    pub(crate) fn open(id: PeriodId, span: PaySpan) -> Self {
        Self {
            id,
            employee: id.employee,
            start: span.range.start(),
            end: span.range.end(),
            status: PeriodStatus::Open,
            settles: false,
            version: 0,
            closing: None,
            sum: None,
            adjusted: None,
            submitted_at: None,
            submitted_hash: None,
            approved_at: None,
            approved_by: None,
            note: None,
            pay_run: None,
        }
    }

    /// The settlement that workers read.
    pub(crate) fn settlement(&self) -> SettlementChanged {
        let time =
            SettledTime { employee_id: Some(self.employee), project_id: None, start: Some(self.start), end: self.end };
        SettlementChanged { id: self.id.to_string(), version: self.version, settles: self.settles.then_some(time) }
    }

    /// The period as the API returns it. The sum is the final one if the period is approved,
    /// otherwise the given one.
    pub(crate) fn known(self, sum: Option<(PeriodSum, AdjustedSum)>) -> KnownPeriod {
        let (sum, adjusted) = sum.unzip();
        KnownPeriod {
            id: self.id,
            start: self.start,
            end: self.end,
            status: self.status,
            sum: self.sum.or(sum),
            adjusted: self.adjusted.or(adjusted),
            submitted_at: self.submitted_at,
            submitted_hash: self.submitted_hash,
            approved_at: self.approved_at,
            approved_by: self.approved_by,
            note: self.note,
            pay_run: self.pay_run,
        }
    }
}

/// The fields of a period that say which time it settles.
#[derive(Debug, Deserialize)]
struct Settling {
    #[serde(rename = "_id")]
    id: PeriodId,
    employee: EmployeeId,
    start: Millis,
    end: Millis,
    settles: bool,
    version: i64,
}

impl Settling {
    fn span(&self) -> Option<PaySpan> {
        Some(PaySpan { first: self.id.first, range: TimeRange::new(self.start, self.end).ok()? })
    }
}

impl From<Settling> for SettlementChanged {
    fn from(row: Settling) -> Self {
        let time =
            SettledTime { employee_id: Some(row.employee), project_id: None, start: Some(row.start), end: row.end };
        Self { id: row.id.to_string(), version: row.version, settles: row.settles.then_some(time) }
    }
}

/// The collection of pay periods that were submitted, sent back, approved or closed.
#[derive(Clone, Debug)]
pub(crate) struct PeriodStore(Collection<StoredPeriod>);

impl PeriodStore {
    pub(super) fn shape() -> Shape {
        let by_employee = mongo::index(doc! { "employee": 1, "start": 1 });
        let by_start = mongo::index(doc! { "start": 1, "_id": 1 });
        let by_closing = mongo::index(doc! { "closing.until": 1 });
        let by_run = mongo::index(doc! { "pay_run": 1, "_id": 1 });
        ("periods", vec![by_employee, by_start, by_closing, by_run])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("periods"))
    }

    /// Finds one period.
    pub(crate) async fn find(&self, id: PeriodId) -> Result<Option<StoredPeriod>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).await?)
    }

    /// Finds one period in a transaction.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: PeriodId) -> Result<Option<StoredPeriod>, Error> {
        Ok(self.0.find_one(doc! { "_id": mongo::value(&id) }).session(&mut tx.session).await?)
    }

    /// Stores a period. If a concurrent transaction stores the same period, one of the two is run
    /// again.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, period: &StoredPeriod) -> Result<(), Error> {
        let this = doc! { "_id": mongo::value(&period.id) };
        self.0.replace_one(this, period).upsert(true).session(&mut tx.session).await?;
        Ok(())
    }

    /// The stored periods that touch a range, in the order of their ids: one more than a page has.
    pub(crate) async fn touching(
        &self,
        asked: &ListPeriods,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredPeriod>> + use<>, Error> {
        let (start, end) = (asked.range.start(), asked.range.end());
        let mut filter = doc! {
            "start": { "$gt": (start - LONGEST).0, "$lt": end.0 },
            "end": { "$gt": start.0 },
        };
        if !asked.employees.is_empty() {
            filter.insert("employee", mongo::one_of(&asked.employees));
        }
        if let Some(after) = &asked.after {
            filter.insert("_id", doc! { "$gt": mongo::value(after) });
        }
        let most = kit::PAGE_MOST as i64 + 1;
        Ok(self.0.find(filter).sort(doc! { "_id": 1 }).limit(most).await?)
    }

    /// The number of submitted periods of these employees.
    pub(crate) async fn count_submitted(&self, employees: &[EmployeeId]) -> Result<u64, Error> {
        let these = doc! { "employee": mongo::one_of(employees), "status": mongo::value(&PeriodStatus::Submitted) };
        Ok(self.0.count_documents(these).await?)
    }

    /// The approved periods inside a range that no pay run has paid, read in a transaction.
    pub(crate) async fn payable(&self, tx: &mut Tx<'_>, range: TimeRange) -> Result<Vec<StoredPeriod>, Error> {
        let these = doc! {
            "start": { "$gte": range.start().0, "$lt": range.end().0 },
            "end": { "$lte": range.end().0 },
            "status": mongo::value(&PeriodStatus::Approved),
            "pay_run": null,
        };
        let mut found = self.0.find(these).sort(doc! { "_id": 1 }).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(period) = found.next(&mut tx.session).await {
            all.push(period?);
        }
        Ok(all)
    }

    /// Stores that a pay run has paid these periods.
    pub(crate) async fn pay(&self, tx: &mut Tx<'_>, periods: &[StoredPeriod], run: PayRunId) -> Result<(), Error> {
        let these = doc! { "_id": mongo::one_of(periods.iter().map(|period| period.id)) };
        let paid = doc! { "$set": { "pay_run": mongo::value(&run) }, "$inc": { "version": 1_i64 } };
        self.0.update_many(these, paid).session(&mut tx.session).await?;
        Ok(())
    }

    /// The periods that a pay run has paid, after this id, in the order of their ids.
    pub(crate) async fn paid_by(
        &self,
        run: PayRunId,
        after: Option<PeriodId>,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredPeriod>> + use<>, Error> {
        let mut these = doc! { "pay_run": mongo::value(&run) };
        if let Some(after) = &after {
            these.insert("_id", doc! { "$gt": mongo::value(after) });
        }
        Ok(self.0.find(these).sort(doc! { "_id": 1 }).await?)
    }

    /// The id of another settled period of the same employee that overlaps this one; none if there
    /// is none.
    pub(crate) async fn overlapped_by(
        &self,
        tx: &mut Tx<'_>,
        period: &StoredPeriod,
    ) -> Result<Option<PeriodId>, Error> {
        let others = doc! {
            "employee": mongo::value(&period.employee),
            "start": { "$lt": period.end.0 },
            "end": { "$gt": period.start.0 },
            "settles": true,
            "_id": { "$ne": mongo::value(&period.id) },
        };
        Ok(self.0.find_one(others).session(&mut tx.session).await?.map(|other| other.id))
    }

    /// The ranges of an employee's settled periods that touch this range.
    pub(crate) async fn settled(&self, employee: EmployeeId, range: TimeRange) -> Result<Vec<PaySpan>, Error> {
        let rows = self.0.clone_with_type::<Settling>().find(settled(employee, range)).projection(fields()).await?;
        Ok(rows.try_filter_map(|row| std::future::ready(Ok(row.span()))).try_collect().await?)
    }

    /// The ranges of an employee's settled periods that touch this range, read in a transaction.
    pub(crate) async fn settled_in(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        range: TimeRange,
    ) -> Result<Vec<PaySpan>, Error> {
        let rows = self.0.clone_with_type::<Settling>();
        let mut rows = rows.find(settled(employee, range)).projection(fields()).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next(&mut tx.session).await {
            all.extend(row?.span());
        }
        Ok(all)
    }

    /// The closing periods whose approval counts as abandoned.
    pub(crate) async fn given_up(&self, now: Millis) -> Result<Vec<StoredPeriod>, Error> {
        Ok(self.0.find(doc! { "closing.until": { "$lt": now.0 } }).await?.try_collect().await?)
    }

    /// The settlements of the periods that match this filter.
    pub(super) async fn settlements(&self, these: Document) -> Result<Vec<SettlementChanged>, Error> {
        let rows = self.0.clone_with_type::<Settling>().find(these).projection(fields()).batch_size(10_000).await?;
        Ok(rows.map_ok(SettlementChanged::from).try_collect().await?)
    }

    /// The settlements of the periods that match this filter, read in a transaction.
    pub(super) async fn settlements_in(
        &self,
        tx: &mut Tx<'_>,
        these: Document,
    ) -> Result<Vec<SettlementChanged>, Error> {
        let rows = self.0.clone_with_type::<Settling>();
        let mut rows = rows.find(these).projection(fields()).batch_size(10_000).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(row) = rows.next(&mut tx.session).await {
            all.push(row?.into());
        }
        Ok(all)
    }
}

/// Matches an employee's settled periods that touch a range.
fn settled(employee: EmployeeId, range: TimeRange) -> Document {
    doc! {
        "employee": mongo::value(&employee),
        "start": { "$gt": (range.start() - LONGEST).0, "$lt": range.end().0 },
        "end": { "$gt": range.start().0 },
        "settles": true,
    }
}

fn fields() -> Document {
    doc! { "employee": 1, "start": 1, "end": 1, "settles": 1, "version": 1 }
}
