use std::collections::{BTreeMap, BTreeSet, HashMap};

use bson::{Document, doc};
use contracts::{EmployeeId, TaskId};
use futures::{Stream, StreamExt, TryStreamExt};
use kit::{
    Database, Error, Shape,
    mongo::{index, one_of, value},
};
use mongodb::{Collection, options::Hint};

use super::{
    known_cells::CellsByDay,
    months::{Fresh, Months, Row, Seen},
    packed, read_all,
    reading::{fields, sheet},
};
use crate::domain::{EmployeeMonth, Sheet, Step, UtcMonth};

/// The state of the documents of some months at the moment of reading.
pub(crate) type SeenMonths = HashMap<EmployeeMonth, Seen>;

/// The collection with one document for each UTC month of each employee. The documents are
/// recomputed from facts.
#[derive(Debug)]
pub(crate) struct EmployeeMonths(Months<EmployeeMonth>);

impl EmployeeMonths {
    pub(super) fn shape() -> Shape {
        ("employee_months", [by_month(), by_employee()].map(index).into())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(Months { rows: db.collection("employee_months") })
    }

    pub(super) fn rows(&self) -> &Collection<Row<EmployeeMonth>> {
        &self.0.rows
    }

    /// The versions of the documents of these months, with the stretches of these days.
    pub(crate) async fn seen(
        &self,
        months: impl IntoIterator<Item = EmployeeMonth>,
        days: &BTreeSet<i64>,
    ) -> Result<SeenMonths, Error> {
        self.0.seen(months, days).await
    }

    /// Stores the new values of these days in the document of each month whose version is still the
    /// one in `seen`. Returns the other months.
    pub(crate) async fn store(
        &self,
        months: BTreeMap<EmployeeMonth, BTreeMap<i64, Fresh>>,
        seen: &SeenMonths,
    ) -> Result<BTreeSet<EmployeeMonth>, Error> {
        self.0.store(months, seen).await
    }

    /// Reads the fields that a step needs from the documents of its months: of these employees, or
    /// of all if the list is empty.
    pub(crate) async fn read(
        &self,
        step: &Step,
        employees: &[EmployeeId],
        tells_work_apart: bool,
    ) -> Result<impl Stream<Item = Result<Sheet, Error>> + Send + Unpin + use<>, Error> {
        let mut filter = doc! { "_id.month": one_of(step.months()) };
        let mut keys = by_month();
        if !employees.is_empty() {
            filter.insert("_id.employee", one_of(employees));
            keys = by_employee();
        }
        let found = self.0.rows.find(filter).projection(fields(step, tells_work_apart)).hint(Hint::Keys(keys)).await?;
        Ok(found.map(|row: mongodb::error::Result<Row<EmployeeMonth>>| {
            let row = row?;
            let EmployeeMonth { employee, month } = row.id;
            Ok(sheet(Some(employee), month, &row)?)
        }))
    }

    /// The sums of each employee on these days of a month, by project and task. Employees without
    /// time on a day are left out.
    pub(crate) async fn of_days(&self, month: UtcMonth, days: &BTreeSet<i64>) -> Result<CellsByDay, Error> {
        let mut all: CellsByDay = days.iter().map(|day| (*day, BTreeMap::new())).collect();
        if all.is_empty() {
            return Ok(all);
        }
        let fields: Document = days.iter().map(|day| (format!("cells.{day}"), 1.into())).collect();
        let of_month = doc! { "_id.month": value(&month) };
        let mut found = self.0.rows.find(of_month).projection(fields).hint(Hint::Keys(by_month())).await?;
        while let Some(row) = found.try_next().await? {
            for (day, cells) in super::months::days(&row.cells, |_, cells| packed::unpack_cells(cells))? {
                all.entry(day).or_default().insert(row.id.employee, cells);
            }
        }
        Ok(all)
    }

    /// The total time of an employee on a task, in milliseconds.
    pub(crate) async fn on_task(&self, employee: EmployeeId, task: TaskId) -> Result<i64, Error> {
        let of_employee = doc! { "_id.employee": value(&employee) };
        let found = self.0.rows.find(of_employee).projection(doc! { "total": 1 }).hint(Hint::Keys(by_employee()));
        let mut found = found.await?;
        let mut time = 0;
        while let Some(row) = found.try_next().await? {
            let total = row.total.as_ref().map(packed::unpack_cells).transpose()?.unwrap_or_default();
            time += total.iter().filter(|((_, on), _)| *on == task).map(|(_, total)| total.time).sum::<i64>();
        }
        Ok(time)
    }

    /// The employees who have a document.
    pub(crate) async fn employees(&self) -> Result<BTreeSet<EmployeeId>, Error> {
        read_all(self.0.rows.distinct("_id.employee", doc! {}).await?)
    }

    /// The months in which any employee has a document.
    pub(crate) async fn months(&self) -> Result<BTreeSet<UtcMonth>, Error> {
        read_all(self.0.rows.distinct("_id.month", doc! {}).await?)
    }

    /// The months in which this employee has a document.
    pub(crate) async fn months_of(&self, employee: EmployeeId) -> Result<BTreeSet<UtcMonth>, Error> {
        let of_employee = doc! { "_id.employee": value(&employee) };
        let found = self.0.rows.find(of_employee).projection(doc! { "_id": 1 }).hint(Hint::Keys(by_employee()));
        Ok(found.await?.map_ok(|row| row.id.month).try_collect().await?)
    }
}

pub(super) fn by_month() -> Document {
    doc! { "_id.month": 1, "_id.employee": 1 }
}

pub(super) fn by_employee() -> Document {
    doc! { "_id.employee": 1, "_id.month": 1 }
}

#[cfg(test)]
mod tests {
    use contracts::{DAY, Millis, ProjectId, Rate, Service, TimeRange};
    use testkit::Harness;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Stretch, Work};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_month_that_was_stored_meanwhile_is_not_overwritten_with_older_sums() {
        let harness = Harness::start().await;
        harness.provision(&crate::needs()).await;
        let months = EmployeeMonths::open(&harness.database(Service::Analytics).await);
        let (employee, task) = (EmployeeId(Uuid::from_u128(1)), TaskId(Uuid::from_u128(2)));
        let both: BTreeSet<EmployeeMonth> =
            [0, 1].map(|month| EmployeeMonth { employee, month: UtcMonth(month) }).into();
        let sums = |of: &BTreeSet<EmployeeMonth>, time| -> BTreeMap<EmployeeMonth, BTreeMap<i64, Fresh>> {
            let day = |id: &EmployeeMonth| {
                let start = Millis(id.month.days().start * DAY);
                let work =
                    Work { project: ProjectId(Uuid::nil()), task, cost: Rate::default(), income: Rate::default() };
                let counts = TimeRange::new(start, start + time).unwrap();
                (*id, [(id.month.days().start, Fresh::Stretches(vec![Stretch { counts, work }]))].into())
            };
            of.iter().map(day).collect()
        };
        let (first, second) = (both.iter().take(1).copied().collect(), both.iter().skip(1).copied().collect());

        // The first round inserts new documents, the second one updates them. In both, the writer
        // that read before the other one stored must be refused.
        for time in [10, 20] {
            let seen = months.seen(both.clone(), &BTreeSet::new()).await.unwrap();
            assert_eq!(months.store(sums(&first, time), &seen).await.unwrap(), BTreeSet::new());
            assert_eq!(months.store(sums(&both, time - 1), &seen).await.unwrap(), first);
            let seen = months.seen(both.clone(), &BTreeSet::new()).await.unwrap();
            assert_eq!(months.store(sums(&second, time), &seen).await.unwrap(), BTreeSet::new());
            assert_eq!(months.on_task(employee, task).await.unwrap(), 2 * time);
        }
        harness.finish().await;
    }
}
