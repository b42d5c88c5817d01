use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use bson::{Decimal128, Document, doc};
use contracts::{EmployeeId, ProjectId, TaskId};
use futures::TryStreamExt;
use kit::{
    Database, Error,
    mongo::{index, one_of, value},
};
use mongodb::{Collection, options::Hint};
use serde::{Deserialize, Serialize};

use super::{bulk, money};
use crate::domain::{Cells, EmployeeDay, Filter, Total};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: EmployeeDay,
    /// One more with every recomputation, also one that finds the same.
    version: i64,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cell {
    project: ProjectId,
    task: TaskId,
    time: i64,
    costs: Decimal128,
    income: Decimal128,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "_id")]
    id: EmployeeDay,
    version: i64,
}

#[derive(Deserialize)]
struct ProjectSum {
    #[serde(rename = "_id")]
    project: ProjectId,
    time: i64,
    costs: Decimal128,
    income: Decimal128,
}

#[derive(Deserialize)]
struct TimeSum {
    time: i64,
}

/// The states that days were in when they were looked at; a day that is not there has none.
pub(crate) type Versions = HashMap<EmployeeDay, i64>;

/// One document for every UTC day of an employee, recomputed from facts. None is ever removed.
#[derive(Debug)]
pub(crate) struct Days {
    rows: Collection<Row>,
}

impl Days {
    pub(super) async fn open(db: &Database) -> Result<Self, Error> {
        let rows = db.collection("days");
        rows.create_indexes([by_day(), by_employee(), by_task()].map(index)).await?;
        Ok(Self { rows })
    }

    /// The states that these days are in now.
    pub(crate) async fn versions(&self, days: &BTreeSet<EmployeeDay>) -> Result<Versions, Error> {
        let rows = self.rows.clone_with_type::<Version>();
        let found = rows.find(doc! { "_id": one_of(days) }).projection(doc! { "version": 1 }).await?;
        Ok(found.map_ok(|row| (row.id, row.version)).try_collect().await?)
    }

    /// Stores these days, each if it is still in the state that was seen. Gives those that are not.
    pub(crate) async fn replace(
        &self,
        sums: BTreeMap<EmployeeDay, Cells>,
        seen: &Versions,
    ) -> Result<BTreeSet<EmployeeDay>, Error> {
        let mut all = Vec::with_capacity(sums.len());
        for (id, cells) in sums {
            let version = seen.get(&id).copied().unwrap_or(0);
            let cells = cells.into_iter().map(Cell::try_from).collect::<Result<_, _>>()?;
            all.push((doc! { "_id": value(&id), "version": version }, Row { id, version: version + 1, cells }));
        }
        let lost = bulk::replace_all(&self.rows, &all).await?;
        Ok(lost.into_iter().filter_map(|position| all.get(position)).map(|(_, row)| row.id).collect())
    }

    /// What these days sum up to, by project.
    pub(crate) async fn by_project(
        &self,
        days: Range<i64>,
        filter: &Filter,
    ) -> Result<BTreeMap<ProjectId, Total>, Error> {
        let mut sums = BTreeMap::new();
        if days.is_empty() {
            return Ok(sums);
        }
        let mut of_days = doc! { "_id.day": { "$gte": days.start, "$lt": days.end } };
        let mut keys = by_day();
        if !filter.employees.is_empty() {
            of_days.insert("_id.employee", one_of(&filter.employees));
            keys = by_employee();
        }
        let mut of_cells = Document::new();
        if !filter.projects.is_empty() {
            of_cells.insert("cells.project", one_of(&filter.projects));
        }
        if !filter.tasks.is_empty() {
            of_cells.insert("cells.task", one_of(&filter.tasks));
        }
        let sum = doc! {
            "_id": "$cells.project",
            "time": { "$sum": "$cells.time" },
            "costs": { "$sum": "$cells.costs" },
            "income": { "$sum": "$cells.income" },
        };
        let pipeline = [
            doc! { "$match": of_days },
            doc! { "$unwind": "$cells" },
            doc! { "$match": of_cells },
            doc! { "$group": sum },
        ];
        let found = self.rows.aggregate(pipeline).hint(Hint::Keys(keys)).with_type::<ProjectSum>().await?;
        let found: Vec<ProjectSum> = found.try_collect().await?;
        for sum in found {
            sums.insert(sum.project, sum.total()?);
        }
        Ok(sums)
    }

    /// The milliseconds of an employee on a task, ever.
    pub(crate) async fn on_task(&self, employee: EmployeeId, task: TaskId) -> Result<i64, Error> {
        let of_days = doc! { "_id.employee": value(&employee), "cells.task": value(&task) };
        let pipeline = [
            doc! { "$match": of_days },
            doc! { "$unwind": "$cells" },
            doc! { "$match": { "cells.task": value(&task) } },
            doc! { "$group": { "_id": null, "time": { "$sum": "$cells.time" } } },
        ];
        let mut found = self.rows.aggregate(pipeline).hint(Hint::Keys(by_task())).with_type::<TimeSum>().await?;
        Ok(found.try_next().await?.map_or(0, |sum| sum.time))
    }
}

impl TryFrom<((ProjectId, TaskId), Total)> for Cell {
    type Error = anyhow::Error;

    fn try_from(((project, task), total): ((ProjectId, TaskId), Total)) -> anyhow::Result<Self> {
        let Total { time, costs, income } = total;
        Ok(Self { project, task, time, costs: money::stored(costs)?, income: money::stored(income)? })
    }
}

impl ProjectSum {
    fn total(&self) -> anyhow::Result<Total> {
        let (costs, income) = (money::read(self.costs)?, money::read(self.income)?);
        Ok(Total { time: self.time, costs, income })
    }
}

fn by_day() -> Document {
    doc! { "_id.day": 1, "_id.employee": 1 }
}

fn by_employee() -> Document {
    doc! { "_id.employee": 1, "_id.day": 1 }
}

fn by_task() -> Document {
    doc! { "_id.employee": 1, "cells.task": 1 }
}

#[cfg(test)]
mod tests {
    use contracts::{Money, Service};
    use testkit::World;
    use uuid::Uuid;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_day_that_was_stored_meanwhile_is_not_overwritten_with_older_sums() {
        let world = World::start().await;
        let days = Days::open(&world.database(Service::Analytics).await).await.unwrap();
        let (employee, project, task) =
            (Uuid::from_u128(1).into(), Uuid::from_u128(2).into(), Uuid::from_u128(3).into());
        let keys: BTreeSet<EmployeeDay> = (0..2).map(|day| EmployeeDay { employee, day }).collect();
        let sums = |keys: &BTreeSet<EmployeeDay>, time| -> BTreeMap<EmployeeDay, Cells> {
            let total = Total { time, costs: Money(1), income: Money(2) };
            keys.iter().map(|day| (*day, Cells::from([((project, task), total)]))).collect()
        };
        let (first, second) = (keys.iter().take(1).copied().collect(), keys.iter().skip(1).copied().collect());

        // Both while the day is new and once it is there: the one who looked earlier loses.
        for time in [10, 20] {
            let seen = days.versions(&keys).await.unwrap();
            assert_eq!(days.replace(sums(&first, time), &seen).await.unwrap(), BTreeSet::new());
            assert_eq!(days.replace(sums(&keys, time - 1), &seen).await.unwrap(), first);
            let seen = days.versions(&keys).await.unwrap();
            assert_eq!(days.replace(sums(&second, time), &seen).await.unwrap(), BTreeSet::new());
            assert_eq!(days.on_task(employee, task).await.unwrap(), 2 * time);
        }
        world.finish().await;
    }
}
