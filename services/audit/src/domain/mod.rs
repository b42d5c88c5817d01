//! The rules of the hash chain: pure functions, without I/O.

mod chain;
mod entry;
mod gap;

pub use chain::{Anchor, Broken};
pub(crate) use chain::{Head, Walk, append};
#[cfg(test)]
pub(crate) use entry::tests::fact;
pub(crate) use entry::{Entry, Fact, Hash, from_hex, hex};
pub(crate) use gap::gap;
