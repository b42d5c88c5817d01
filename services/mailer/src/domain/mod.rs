//! The rules about mails. They know no NATS, SMTP or MongoDB.

mod account_mail;
mod correction_mail;
mod invitation_mail;
mod mail;
mod reply;
mod retry;

pub(crate) use account_mail::account_mail;
pub(crate) use correction_mail::correction_mail;
pub(crate) use invitation_mail::invitation_mail;
pub(crate) use mail::Mail;
pub(crate) use reply::{Cause, Refusal, Step};
pub(crate) use retry::retry_after;
