//! What the mailer does about events.

mod invitation_requested;
mod mail_requested;
mod sending;

pub(crate) use invitation_requested::invitation_requested;
pub(crate) use mail_requested::mail_requested;
