use std::collections::{BTreeMap, BTreeSet, HashMap};

use bson::doc;
use futures::{Stream, StreamExt, TryStreamExt};
use kit::{Database, Error, Shape, mongo::one_of};

use super::{
    MonthStates,
    months::{Fresh, Months, Row, Seen},
    read_all,
    reading::{fields, sheet},
};
use crate::domain::{Cells, Sheet, Step, UtcMonth};

/// The collection with one document for each UTC month, with the sums of all employees together.
/// The sums are recomputed from the documents of single employees.
#[derive(Debug)]
pub(crate) struct CompanyMonths(Months<UtcMonth>);

impl CompanyMonths {
    pub(super) fn shape() -> Shape {
        ("company_months", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(Months { rows: db.collection("company_months") })
    }

    /// The versions of the documents of these months. A month without a document has version 0.
    pub(crate) async fn seen(
        &self,
        months: impl IntoIterator<Item = UtcMonth>,
    ) -> Result<HashMap<UtcMonth, Seen>, Error> {
        self.0.seen(months, &BTreeSet::new()).await
    }

    /// Stores the new values of these days in the document of each month whose version is still the
    /// one in `seen`. Returns the other months.
    pub(crate) async fn store(
        &self,
        months: BTreeMap<UtcMonth, BTreeMap<i64, Cells>>,
        seen: &HashMap<UtcMonth, Seen>,
    ) -> Result<BTreeSet<UtcMonth>, Error> {
        let fresh = |days: BTreeMap<i64, Cells>| days.into_iter().map(|(day, cells)| (day, Fresh::Cells(cells)));
        self.0.store(months.into_iter().map(|(month, days)| (month, fresh(days).collect())).collect(), seen).await
    }

    /// The present state (version and sums) of each of these months that is stored. If two calls
    /// return the same state of a month, nothing in it has changed in between.
    pub(crate) async fn states(&self, months: impl IntoIterator<Item = UtcMonth>) -> Result<MonthStates, Error> {
        let these = doc! { "_id": one_of(months) };
        let found = self.0.rows.find(these).projection(doc! { "version": 1, "total": 1 }).await?;
        Ok(found.map_ok(|row| (row.id, (row.version, row.total))).try_collect().await?)
    }

    /// Reads the fields that a step needs from the documents of its months.
    pub(crate) async fn read(
        &self,
        step: &Step,
        tells_work_apart: bool,
    ) -> Result<impl Stream<Item = Result<Sheet, Error>> + Send + Unpin + use<>, Error> {
        let months = doc! { "_id": one_of(step.months()) };
        let found = self.0.rows.find(months).projection(fields(step, tells_work_apart)).await?;
        Ok(found.map(|row: mongodb::error::Result<Row<UtcMonth>>| {
            let row = row?;
            Ok(sheet(None, row.id, &row)?)
        }))
    }

    /// All months that have a document.
    pub(crate) async fn months(&self) -> Result<BTreeSet<UtcMonth>, Error> {
        read_all(self.0.rows.distinct("_id", doc! {}).await?)
    }
}
