//! What the mailer does about events.

mod adjustment_made;
mod correction_decided;
mod digest_requested;
mod invitation_requested;
mod mail_requested;
mod period_decided;
mod sending;

pub(crate) use adjustment_made::adjustment_made;
pub(crate) use correction_decided::correction_decided;
pub(crate) use digest_requested::digest_requested;
pub(crate) use invitation_requested::invitation_requested;
pub(crate) use mail_requested::mail_requested;
pub(crate) use period_decided::period_decided;
