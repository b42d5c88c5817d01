//! What is kept in MongoDB. Nothing else in this service knows of it.
//!
//! Whoever changes a project, or puts somebody on it or on a task of it, first locks the project's
//! document by really changing it (only writes conflict): so this happens one after the other.
//! Whoever puts an employee on a project also changes the employee's reference, and so does the
//! word that somebody is deactivated: one of them comes first, and the other sees it.

mod assignments;
mod employee_refs;
mod members;
mod projects;
mod tasks;

use assignments::Assignments;
use employee_refs::EmployeeRefs;
use kit::{Database, Error};
use members::Members;
use projects::Projects;
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
}

impl Store {
    /// Opens the collections, and makes them and their indexes if they are not there.
    ///
    /// # Errors
    /// Those of MongoDB.
    pub(crate) async fn open(db: &Database) -> Result<Self, Error> {
        Ok(Self {
            projects: Projects::open(db).await?,
            tasks: Tasks::open(db).await?,
            members: Members::open(db).await?,
            assignments: Assignments::open(db).await?,
            employee_refs: EmployeeRefs::open(db).await?,
        })
    }
}
