//! What must be there before a service starts, made by whoever may: secrets, the users of NATS and
//! MongoDB and their rights, streams, consumers, collections with their indexes. Services find it
//! and never make it.
//!
//! 1. [`Secrets`] makes what is missing in a folder: keys, passwords, the users' configuration of
//!    NATS.
//! 2. [`Provisioner`] looks at the servers and gives a [`Plan`]: what is to be created or changed,
//!    and what is refused because it would lose data.
//! 3. [`check_sync`] asks NATS whether it fsyncs what it acknowledges.

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
