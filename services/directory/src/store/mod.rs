//! What directory keeps in MongoDB, each collection in a file of its own.

mod credentials;
mod employees;
mod invitations;
mod memberships;

use kit::{Database, Shape};

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
    /// The collections as they must be, with their indexes.
    pub(crate) fn shapes() -> [Shape; 4] {
        [Employees::shape(), Credentials::shape(), Invitations::shape(), Memberships::shape()]
    }

    /// The collections, which are there.
    pub(crate) fn open(db: &Database) -> Self {
        Self {
            employees: Employees::open(db),
            credentials: Credentials::open(db),
            invitations: Invitations::open(db),
            memberships: Memberships::open(db),
        }
    }
}
