//! What the mailer does about events.

mod correction_decided;
mod invitation_requested;
mod mail_requested;
mod sending;

pub(crate) use correction_decided::correction_decided;
pub(crate) use invitation_requested::invitation_requested;
pub(crate) use mail_requested::mail_requested;
