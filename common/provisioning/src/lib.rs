//! Creates what must exist before a service starts: secrets, the users of NATS and MongoDB with
//! their rights, streams, consumers, and collections with their indexes. Services do not have the
//! rights to create these.
//!
//! 1. [`Secrets`] creates the missing files of a folder: keys, passwords, and the NATS
//!    configuration of the users.
//! 2. [`Provisioner`] compares the servers with what is needed and returns a [`Plan`]: what will be
//!    created or changed, and what is refused because it would lose data.
//! 3. [`check_sync`] checks that NATS syncs to disk before it acknowledges.

mod consumers;
mod databases;
mod nats_users;
mod plan;
mod provisioner;
mod secrets;
mod streams;
mod sync;
mod users;

pub use nats_users::{nats_users, new_key};
pub use plan::Plan;
pub use provisioner::Provisioner;
pub use secrets::Secrets;
pub use streams::Bounds;
pub use sync::check_sync;
