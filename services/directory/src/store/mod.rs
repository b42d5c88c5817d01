//! The MongoDB collections of this service, one file for each.

mod api_keys;
mod attempts;
mod credentials;
mod employees;
mod invitations;
mod mail_bounds;
mod mails;
mod memberships;
mod owners;
mod roster;
mod sessions;
mod teams;

use kit::{Database, Shape};

use api_keys::ApiKeys;
pub(crate) use attempts::Attempts;
use credentials::Credentials;
use employees::Employees;
use invitations::Invitations;
use mail_bounds::MailBounds;
use mails::Mails;
use memberships::Memberships;
use owners::Owners;
use sessions::Sessions;
pub(crate) use teams::Candidate;
use teams::Teams;

/// All collections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) employees: Employees,
    pub(crate) credentials: Credentials,
    pub(crate) invitations: Invitations,
    pub(crate) mails: Mails,
    pub(crate) mail_bounds: MailBounds,
    pub(crate) memberships: Memberships,
    pub(crate) api_keys: ApiKeys,
    pub(crate) owners: Owners,
    pub(crate) sessions: Sessions,
    pub(crate) teams: Teams,
    pub(crate) attempts: Attempts,
}

impl Store {
    /// The collections with their indexes, for `provision`.
    pub(crate) fn shapes() -> [Shape; 12] {
        [
            Employees::shape(),
            Credentials::shape(),
            Invitations::shape(),
            Mails::shape(),
            MailBounds::shape(),
            Memberships::shape(),
            ApiKeys::shape(),
            Owners::shape(),
            roster::Rosters::shape(),
            Sessions::shape(),
            Teams::shape(),
            Attempts::shape(),
        ]
    }

    /// Opens the collections.
    pub(crate) fn open(db: &Database) -> Self {
        Self {
            employees: Employees::open(db),
            credentials: Credentials::open(db),
            invitations: Invitations::open(db),
            mails: Mails::open(db),
            mail_bounds: MailBounds::open(db),
            memberships: Memberships::open(db),
            api_keys: ApiKeys::open(db),
            owners: Owners::open(db),
            sessions: Sessions::open(db),
            teams: Teams::open(db),
            attempts: Attempts::open(db),
        }
    }
}
