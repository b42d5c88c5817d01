use bson::{Document, doc};
use contracts::{
    EmployeeId, Label, Millis, ProjectId, Rate, RatePart, Rates, TaskId, TimeRange, UpdateWindows, WINDOW_MOST,
    WindowFact, WindowId,
};
use futures::{Stream, TryStreamExt};
use kit::{Error, Tx, mongo};
use serde::Deserialize;

use super::{StoredPeriod, WindowStore, window_updates::filter_of};
use crate::domain::Worked;

/// The fields of a recorded window that decide how much it counts, and at which price.
#[derive(Debug, Deserialize)]
struct Countable {
    #[serde(rename = "_id")]
    id: WindowId,
    revision: i64,
    #[serde(default)]
    voided: bool,
    window: Counting,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counting {
    employee_id: EmployeeId,
    project_id: ProjectId,
    task_id: TaskId,
    shift_id: Label,
    start: Millis,
    end: Millis,
    billable: bool,
    #[serde(default)]
    overtime: bool,
    bill_rate: Option<Rate>,
    overtime_bill_rate: Option<Rate>,
    pay_rate: Option<Rate>,
    overtime_pay_rate: Option<Rate>,
    #[serde(default)]
    rate_parts: Vec<RatePart>,
}

impl From<Countable> for WindowFact {
    fn from(Countable { id, revision, voided, window }: Countable) -> Self {
        Self {
            id,
            revision,
            employee_id: window.employee_id,
            project_id: window.project_id,
            task_id: window.task_id,
            shift_id: window.shift_id,
            start: window.start,
            end: window.end,
            billable: window.billable,
            overtime: window.overtime,
            rates: Rates {
                bill_rate: window.bill_rate,
                overtime_bill_rate: window.overtime_bill_rate,
                pay_rate: window.pay_rate,
                overtime_pay_rate: window.overtime_pay_rate,
            },
            rate_parts: window.rate_parts,
            voided,
        }
    }
}

/// The employee, project, start and end of a window.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Where {
    employee_id: EmployeeId,
    project_id: ProjectId,
    start: Millis,
    end: Millis,
}

#[derive(Debug, Deserialize)]
struct OnlyId {
    #[serde(rename = "_id")]
    id: WindowId,
}

#[derive(Debug, Deserialize)]
struct StoredWhere {
    window: Where,
}

impl WindowStore {
    /// The facts of an employee's windows that are not voided and may reach into a range. They
    /// decide what counts there.
    pub(crate) async fn deciding(&self, employee: EmployeeId, range: TimeRange) -> Result<Vec<WindowFact>, Error> {
        let windows = self.windows.clone_with_type::<Countable>();
        let found = windows.find(deciding(employee, range)).projection(fields()).batch_size(2_500).await?;
        Ok(found.map_ok(WindowFact::from).try_collect().await?)
    }

    /// The same as [`Self::deciding`], read in a transaction.
    pub(crate) async fn deciding_in(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        range: TimeRange,
    ) -> Result<Vec<WindowFact>, Error> {
        let windows = self.windows.clone_with_type::<Countable>();
        let found = windows.find(deciding(employee, range)).projection(fields());
        let mut found = found.batch_size(2_500).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(window) = found.next(&mut tx.session).await {
            all.push(window?.into());
        }
        Ok(all)
    }

    /// The ids of the employee's windows that begin in a period and are not marked as paid: at most
    /// `most`, in any order.
    pub(crate) async fn unpaid(
        &self,
        tx: &mut Tx<'_>,
        period: &StoredPeriod,
        most: usize,
    ) -> Result<Vec<WindowId>, Error> {
        let these = doc! {
            "window.employeeId": mongo::value(&period.employee),
            "window.start": { "$gte": period.start.0, "$lt": period.end.0 },
            "window.paid": false,
            "voided": false,
        };
        let windows = self.windows.clone_with_type::<OnlyId>();
        let found = windows.find(these).projection(doc! { "_id": 1 }).limit(most as i64);
        let mut found = found.session(&mut tx.session).await?;
        let mut ids = Vec::new();
        while let Some(OnlyId { id }) = found.next(&mut tx.session).await.transpose()? {
            ids.push(id);
        }
        Ok(ids)
    }

    /// One of these projects, with the end of its lock: a project on which the employee has a
    /// window that overlaps this time range and starts before the end of the lock. None if there is
    /// no such window.
    pub(crate) async fn overlaps_on(
        &self,
        tx: Option<&mut Tx<'_>>,
        worked: Worked,
        projects: &[(ProjectId, Millis)],
    ) -> Result<Option<(ProjectId, Millis)>, Error> {
        if projects.is_empty() {
            return Ok(None);
        }
        let any: Vec<Document> = projects
            .iter()
            .map(|(project, until)| {
                let end = worked.range.end().min(*until);
                doc! { "window.projectId": mongo::value(project), "window.start": { "$lt": end.0 } }
            })
            .collect();
        let filter = doc! {
            "window.employeeId": mongo::value(&worked.employee),
            "window.start": { "$gt": (worked.range.start() - WINDOW_MOST).0, "$lt": worked.range.end().0 },
            "window.end": { "$gt": worked.range.start().0 },
            "voided": false,
            "$or": any,
        };
        let windows = self.windows.clone_with_type::<StoredWhere>();
        let asked = windows.find_one(filter).projection(place());
        let found = match tx {
            Some(tx) => asked.session(&mut tx.session).await?,
            None => asked.await?,
        };
        let project = found.map(|found| found.window.project_id);
        Ok(project.and_then(|project| projects.iter().find(|(one, _)| *one == project).copied()))
    }

    /// The employee, project and time range of every window that an update would change.
    pub(crate) async fn places_of(
        &self,
        update: &UpdateWindows,
    ) -> Result<impl Stream<Item = mongodb::error::Result<Worked>> + use<>, Error> {
        let windows = self.windows.clone_with_type::<StoredWhere>();
        let found = windows.find(filter_of(update)).projection(place()).batch_size(10_000).await?;
        let worked = |Where { employee_id, project_id, start, end }: Where| {
            let range = TimeRange::new(start, end).ok()?;
            Some(Worked { employee: employee_id, project: project_id, range })
        };
        Ok(found.try_filter_map(move |stored| std::future::ready(Ok(worked(stored.window)))))
    }
}

/// Matches the windows of an employee that are not voided and may reach into a range: those that
/// start in it or less than 24 hours before it. No window is longer than 24 hours.
fn deciding(employee: EmployeeId, range: TimeRange) -> Document {
    doc! {
        "window.employeeId": mongo::value(&employee),
        "window.start": { "$gt": (range.start() - WINDOW_MOST).0, "$lt": range.end().0 },
        "voided": false,
    }
}

fn fields() -> Document {
    doc! {
        "revision": 1, "voided": 1, "window.employeeId": 1, "window.projectId": 1, "window.taskId": 1,
        "window.shiftId": 1, "window.start": 1, "window.end": 1, "window.billable": 1, "window.overtime": 1,
        "window.billRate": 1, "window.overtimeBillRate": 1, "window.payRate": 1, "window.overtimePayRate": 1,
        "window.rateParts": 1,
    }
}

fn place() -> Document {
    doc! { "_id": 0, "window.employeeId": 1, "window.projectId": 1, "window.start": 1, "window.end": 1 }
}
