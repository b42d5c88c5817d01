//! Tests that compare the rules with a brute-force computation.

mod answering;
pub(crate) mod brute;
mod counting;
pub(crate) mod history;
mod sip;
mod stored;
