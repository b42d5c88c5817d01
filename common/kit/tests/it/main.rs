//! The kit against real NATS and MongoDB.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod asking;
mod consuming;
mod layouts;
mod lease;
mod majority;
mod outbox;
