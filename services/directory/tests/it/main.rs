//! Directory over its real wire: NATS and MongoDB.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auditing;
mod employees;
mod invitations;
mod keys;
mod logins;
mod office;
mod projections;
mod revoking;
mod sessions;
mod throttling;
