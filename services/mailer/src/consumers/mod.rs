//! What the mailer does about events.

mod invitation_requested;

pub(crate) use invitation_requested::invitation_requested;
