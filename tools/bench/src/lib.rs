//! A load generator. It drives a running system through its HTTP API only, and measures the
//! answers.

pub mod analytics;
mod asked;
mod client;
pub mod console;
pub mod fleet;
mod goal;
pub mod import;
pub mod ingest;
mod mailbox;
mod measured;
mod progress;
pub mod senders;
mod usage;
mod wire;

pub use mailbox::Mailbox;
