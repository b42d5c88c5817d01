//! The MongoDB collections of this service. No other module uses MongoDB.
//!
//! A change of a project, its members or the employees of its tasks first locks the project's
//! document by writing to it, because in MongoDB only writes conflict. So such changes happen one
//! after the other. Adding a member also writes to the stored state of the employee, and so does a
//! deactivation. So whichever of the two comes second sees the other.

mod assignments;
mod employee_refs;
mod former_names;
mod members;
mod projects;
mod rates;
mod tasks;

use assignments::Assignments;
use employee_refs::EmployeeRefs;
use former_names::FormerNames;
use kit::{Database, Shape};
use members::Members;
use projects::Projects;
use rates::Rates;
use tasks::Tasks;

/// The most documents in one batch of a cursor: no more than a page can have.
const BATCH: u32 = 1_000;

/// All collections of this service.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) projects: Projects,
    pub(crate) tasks: Tasks,
    pub(crate) members: Members,
    pub(crate) assignments: Assignments,
    pub(crate) employee_refs: EmployeeRefs,
    pub(crate) former_names: FormerNames,
    pub(crate) rates: Rates,
}

impl Store {
    /// The collections with their indexes, for `provision`.
    pub(crate) fn shapes() -> [Shape; 8] {
        let [rates, rate_scopes] = Rates::shapes();
        [
            Projects::shape(),
            Tasks::shape(),
            Members::shape(),
            Assignments::shape(),
            EmployeeRefs::shape(),
            FormerNames::shape(),
            rates,
            rate_scopes,
        ]
    }

    /// Opens the collections.
    pub(crate) fn open(db: &Database) -> Self {
        Self {
            projects: Projects::open(db),
            tasks: Tasks::open(db),
            members: Members::open(db),
            assignments: Assignments::open(db),
            employee_refs: EmployeeRefs::open(db),
            former_names: FormerNames::open(db),
            rates: Rates::open(db),
        }
    }
}
