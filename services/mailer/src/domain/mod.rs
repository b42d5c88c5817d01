//! The rules about mails. They know no NATS, SMTP or MongoDB.

mod invitation_mail;
mod reply;
mod retry;

pub(crate) use invitation_mail::InvitationMail;
pub(crate) use reply::{Cause, Refusal, Step};
pub(crate) use retry::retry_after;
