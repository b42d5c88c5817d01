//! The tests of the audit service, with a real nats-server and a real mongod.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod away;
mod gaps;
mod listing;
mod program;
mod recording;
mod trail;
mod verifying;
