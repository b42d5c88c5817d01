//! Tests of the mailer with a real NATS, MongoDB, directory and SMTP server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account_mails;
mod addresses;
mod correction_mails;
mod digests;
mod failing;
mod fixture;
mod folder;
mod mailing;
mod missing;
mod period_mails;
mod smtp_server;
