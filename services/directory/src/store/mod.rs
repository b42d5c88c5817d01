//! What directory keeps in MongoDB, each collection in a file of its own.

mod credentials;
mod employees;
mod invitations;
mod memberships;

use kit::{Database, Error};

use credentials::Credentials;
use employees::Employees;
use invitations::Invitations;
use memberships::Memberships;

/// The collections.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) employees: Employees,
    pub(crate) credentials: Credentials,
    pub(crate) invitations: Invitations,
    pub(crate) memberships: Memberships,
}

impl Store {
    /// Opens all collections, and makes them with their indexes where they are not there.
    pub(crate) async fn open(db: &Database) -> Result<Self, Error> {
        Ok(Self {
            employees: Employees::open(db).await?,
            credentials: Credentials::open(db).await?,
            invitations: Invitations::open(db).await?,
            memberships: Memberships::open(db).await?,
        })
    }
}
