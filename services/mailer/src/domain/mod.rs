//! The rules for mails, without NATS, SMTP or MongoDB.

mod account_mail;
mod adjustment_mail;
mod correction_mail;
mod digest;
mod digest_mail;
mod invitation_mail;
mod mail;
mod period_mail;
mod reply;
mod retry;
mod times;

pub(crate) use account_mail::account_mail;
pub(crate) use adjustment_mail::adjustment_mail;
pub(crate) use correction_mail::correction_mail;
pub(crate) use digest::{Digest, DigestHour};
pub(crate) use digest_mail::digest_mail;
pub(crate) use invitation_mail::invitation_mail;
pub(crate) use mail::Mail;
pub(crate) use period_mail::period_mail;
pub(crate) use reply::{Cause, Refusal, Step};
pub(crate) use retry::retry_after;
