//! Load for a running system, through its HTTP API alone.

mod client;
pub mod import;
pub mod ingest;
mod mailbox;
mod progress;

pub use mailbox::Mailbox;
