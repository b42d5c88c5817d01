//! The rules against brute force.

mod answering;
pub(crate) mod brute;
mod counting;
pub(crate) mod history;
mod sip;
mod stored;
