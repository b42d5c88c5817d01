//! The mailer's data in MongoDB.

mod decisions;
mod deliveries;
mod digests;

pub(crate) use decisions::Decisions;
pub(crate) use deliveries::{Claim, Deliveries, Outcome};
pub(crate) use digests::Digests;
