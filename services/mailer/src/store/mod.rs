//! What the mailer keeps in MongoDB.

mod deliveries;

pub(crate) use deliveries::{Claim, Deliveries, Outcome};
