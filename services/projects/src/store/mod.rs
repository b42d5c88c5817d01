//! What is kept in MongoDB. Nothing else in this service knows of it.
//!
//! Whoever changes a project, or puts somebody on it or on a task of it, first locks the project's
//! document by really changing it (only writes conflict): so this happens one after the other.
//! Whoever puts an employee on a project also changes the employee's reference, and so does the
//! word that somebody is deactivated: one of them comes first, and the other sees it.

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

/// How many documents of a list are fetched at once: no more than a page can show.
const BATCH: u32 = 1_000;

/// The collections.
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
    /// The collections as they must be, with their indexes.
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

    /// The collections, which are there.
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
