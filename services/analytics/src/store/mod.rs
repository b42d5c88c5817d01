//! The data in MongoDB: facts from events, and months that are recomputed from them.

mod bulk;
mod company;
mod employees;
mod facts;
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
pub(crate) use employees::EmployeeMonths;
pub(crate) use facts::Facts;
pub(crate) use known_sums::{KnownSums, MonthStates, Sums};
pub(crate) use mends::Mends;
pub(crate) use months::Fresh;
use rebuilds::Rebuilds;
pub(crate) use rebuilds::Stage;

/// The collections of this service.
#[derive(Debug)]
pub(crate) struct Store {
    /// The facts of all windows.
    pub(crate) facts: Facts,
    /// The months of employees.
    pub(crate) employees: EmployeeMonths,
    /// The months of the company.
    pub(crate) company: CompanyMonths,
    /// The progress of a rebuild.
    pub(crate) rebuilds: Rebuilds,
    /// The repairs in progress.
    pub(crate) mends: Mends,
}

impl Store {
    /// The collections and their indexes, for provisioning.
    pub(crate) fn shapes() -> [Shape; 5] {
        [Facts::shape(), EmployeeMonths::shape(), CompanyMonths::shape(), Rebuilds::shape(), Mends::shape()]
    }

    /// Opens the collections.
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

/// Deserializes values that the driver returns untyped.
fn read_all<T: DeserializeOwned + Ord>(values: Vec<Bson>) -> Result<BTreeSet<T>, Error> {
    let read = |value| bson::deserialize_from_bson(value).context("a stored value that cannot be read");
    Ok(values.into_iter().map(read).collect::<anyhow::Result<_>>()?)
}
