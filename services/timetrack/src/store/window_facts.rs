//! The queries of recorded windows by which analytics compares its facts.

use bson::doc;
use contracts::{EmployeeId, FactSum, ListFactsOf, WindowFact, WindowId};
use futures::{Stream, TryStreamExt};
use kit::{Error, mongo};

use super::{
    stored_window::StoredWindow,
    windows::{Stretch, WindowStore, by_employee},
};

/// The number of employees in one page of sums. The sums of one employee and month take about a
/// hundred bytes, so a page of many years fits into one reply.
const EMPLOYEES_A_PAGE: usize = 20;

impl WindowStore {
    /// The windows after this id, including voided ones, in the order of their ids: one more than a
    /// page has.
    pub(crate) async fn all(
        &self,
        after: Option<WindowId>,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredWindow>> + use<>, Error> {
        let after = after.map(|id| doc! { "_id": { "$gt": mongo::value(&id) } }).unwrap_or_default();
        Ok(self.windows.find(after).sort(doc! { "_id": 1 }).limit(kit::PAGE_MOST as i64 + 1).await?)
    }

    /// The windows of an employee that begin in a range, including voided ones, in the order of
    /// their ids: one more than a page has.
    pub(crate) async fn beginning(
        &self,
        asked: &ListFactsOf,
    ) -> Result<impl Stream<Item = mongodb::error::Result<StoredWindow>> + use<>, Error> {
        let mut filter = doc! {
            "window.employeeId": mongo::value(&asked.employee_id),
            "window.start": { "$gte": asked.start.0, "$lt": asked.end.0 },
        };
        if let Some(after) = asked.after {
            filter.insert("_id", doc! { "$gt": mongo::value(&after) });
        }
        Ok(self.windows.find(filter).sort(doc! { "_id": 1 }).limit(kit::PAGE_MOST as i64 + 1).await?)
    }

    /// The facts of these windows. Unknown ids are left out.
    pub(crate) async fn facts(&self, ids: &[WindowId]) -> Result<Vec<WindowFact>, Error> {
        let found = self.windows.find(doc! { "_id": mongo::one_of(ids) }).await?;
        Ok(found.map_ok(|window| window.fact()).try_collect().await?)
    }

    /// The next employees after this id who have windows, in the order of their ids. Each employee
    /// takes one query of the index.
    pub(crate) async fn next_employees(&self, mut after: Option<EmployeeId>) -> Result<Vec<EmployeeId>, Error> {
        let windows = self.windows.clone_with_type::<Stretch>();
        let mut employees = Vec::new();
        while employees.len() < EMPLOYEES_A_PAGE {
            let filter = after.map(|id| doc! { "window.employeeId": { "$gt": mongo::value(&id) } }).unwrap_or_default();
            let first = windows.find_one(filter).sort(by_employee());
            let fields = doc! { "window.employeeId": 1, "window.start": 1, "window.end": 1 };
            let Some(Stretch { window, .. }) = first.projection(fields).await? else { break };
            employees.push(window.employee_id);
            after = Some(window.employee_id);
        }
        Ok(employees)
    }

    /// For each of these employees and each UTC month: the number of the employee's windows that
    /// begin in the month, the sum of their revisions and the sum of their lengths.
    pub(crate) async fn sums(&self, employees: &[EmployeeId]) -> Result<Vec<FactSum>, Error> {
        let start = doc! { "$toDate": "$window.start" };
        let month = doc! { "$add": [{ "$multiply": [{ "$year": &start }, 100] }, { "$month": &start }] };
        let group = doc! { "$group": {
            "_id": { "employee": "$window.employeeId", "month": month },
            "windows": { "$sum": 1_i64 },
            "revisions": { "$sum": { "$toLong": "$revision" } },
            "time": { "$sum": { "$toLong": { "$subtract": ["$window.end", "$window.start"] } } },
        } };
        let shown = doc! { "$project": {
            "_id": 0, "employeeId": "$_id.employee", "month": { "$toInt": "$_id.month" },
            "windows": 1, "revisions": 1, "time": 1,
        } };
        let these = doc! { "$match": { "window.employeeId": mongo::one_of(employees) } };
        let sums = self.windows.aggregate([these, group, shown]).with_type::<FactSum>().await?;
        Ok(sums.try_collect().await?)
    }
}
