//! MongoDB: the facts as the events tell them, and the months recomputed from them.

mod bulk;
mod company;
mod employees;
mod facts;
mod months;
mod packed;
mod reading;

use kit::{Database, Error};

pub(crate) use company::CompanyMonths;
pub(crate) use employees::EmployeeMonths;
pub(crate) use facts::Facts;
pub(crate) use months::Fresh;

/// What this service keeps.
#[derive(Debug)]
pub(crate) struct Store {
    /// What every window counts for.
    pub(crate) facts: Facts,
    /// What each employee's time sums up to.
    pub(crate) employees: EmployeeMonths,
    /// What everybody's does.
    pub(crate) company: CompanyMonths,
}

impl Store {
    /// Opens the collections, and makes their indexes.
    pub(crate) async fn open(db: &Database) -> Result<Self, Error> {
        let (facts, employees) = (Facts::open(db).await?, EmployeeMonths::open(db).await?);
        Ok(Self { facts, employees, company: CompanyMonths::open(db) })
    }
}
