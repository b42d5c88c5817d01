//! The MongoDB collections: facts from events, and sums by UTC month that are recomputed from
//! facts.

mod bulk;
mod company;
mod employees;
mod facts;
mod known_cells;
mod known_sums;
mod mends;
mod months;
mod packed;
mod period_sums;
mod reading;
mod rebuilds;

use std::collections::BTreeSet;

use anyhow::Context;
use bson::Bson;
use kit::{Database, Error, Shape};
use serde::de::DeserializeOwned;

pub(crate) use company::CompanyMonths;
pub(crate) use employees::{EmployeeMonths, SeenMonths};
pub(crate) use facts::Facts;
pub(crate) use known_cells::{CellsByDay, KnownCells, all_together};
pub(crate) use known_sums::{KnownSums, MonthStates, Sums};
pub(crate) use mends::Mends;
pub(crate) use months::{Fresh, Seen};
use rebuilds::Rebuilds;
pub(crate) use rebuilds::Stage;

/// All collections of this service.
#[derive(Debug)]
pub(crate) struct Store {
    /// The facts of all windows.
    pub(crate) facts: Facts,
    /// One document for each UTC month of each employee, with the employee's sums.
    pub(crate) employees: EmployeeMonths,
    /// One document for each UTC month, with the sums of all employees together.
    pub(crate) company: CompanyMonths,
    /// The progress of a rebuild that has not ended.
    pub(crate) rebuilds: Rebuilds,
    /// The repairs of facts that have not ended.
    pub(crate) mends: Mends,
}

impl Store {
    /// The names of the collections with their indexes, which `provision` creates.
    pub(crate) fn shapes() -> [Shape; 5] {
        [Facts::shape(), EmployeeMonths::shape(), CompanyMonths::shape(), Rebuilds::shape(), Mends::shape()]
    }

    /// The collections in this database.
    pub(crate) fn open(db: &Database) -> Self {
        Self {
            facts: Facts::open(db),
            employees: EmployeeMonths::open(db),
            company: CompanyMonths::open(db),
            rebuilds: Rebuilds::open(db),
            mends: Mends::open(db),
        }
    }
}

/// Deserializes values that the driver returns as BSON.
fn read_all<T: DeserializeOwned + Ord>(values: Vec<Bson>) -> Result<BTreeSet<T>, Error> {
    let read = |value| bson::deserialize_from_bson(value).context("a stored value that cannot be read");
    Ok(values.into_iter().map(read).collect::<anyhow::Result<_>>()?)
}
