//! The kit against real NATS and MongoDB.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod asking;
mod consuming;
mod majority;
mod outbox;
