//! MongoDB: the facts as the events tell them, and the months recomputed from them.

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

/// What this service keeps.
#[derive(Debug)]
pub(crate) struct Store {
    /// What every window counts for.
    pub(crate) facts: Facts,
    /// What each employee's time sums up to.
    pub(crate) employees: EmployeeMonths,
    /// What everybody's does.
    pub(crate) company: CompanyMonths,
    /// How far a rebuild is.
    pub(crate) rebuilds: Rebuilds,
    /// The repairs that are under way.
    pub(crate) mends: Mends,
}

impl Store {
    /// The collections as they must be, with their indexes.
    pub(crate) fn shapes() -> [Shape; 5] {
        [Facts::shape(), EmployeeMonths::shape(), CompanyMonths::shape(), Rebuilds::shape(), Mends::shape()]
    }

    /// The collections, which are there.
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

/// Values that the driver gives without their type.
fn read_all<T: DeserializeOwned + Ord>(values: Vec<Bson>) -> Result<BTreeSet<T>, Error> {
    let read = |value| bson::deserialize_from_bson(value).context("a stored value that cannot be read");
    Ok(values.into_iter().map(read).collect::<anyhow::Result<_>>()?)
}
