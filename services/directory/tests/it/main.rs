//! Tests of the service `directory` with a real nats-server and a real mongod.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod auditing;
mod employees;
mod fixture;
mod invitations;
mod keys;
mod logins;
mod passwords;
mod projections;
mod revoking;
mod sessions;
mod teams;
mod throttling;
