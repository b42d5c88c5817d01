//! Load for a running system, through its HTTP API alone.

pub mod analytics;
mod asked;
mod client;
pub mod console;
pub mod crew;
pub mod fleet;
mod goal;
pub mod import;
pub mod ingest;
mod mailbox;
mod measured;
mod progress;
mod usage;
mod wire;

pub use mailbox::Mailbox;
