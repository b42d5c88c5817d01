//! The consumers of events.

mod decisions;
mod digest_requested;
mod invitation_requested;
mod mail_requested;
mod sending;

pub(crate) use decisions::{adjustment_made, correction_decided, period_decided};
pub(crate) use digest_requested::digest_requested;
pub(crate) use invitation_requested::invitation_requested;
pub(crate) use mail_requested::mail_requested;
