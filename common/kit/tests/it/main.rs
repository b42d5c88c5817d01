//! Tests of the kit with real NATS and MongoDB servers.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod asking;
mod consuming;
mod layouts;
mod lease;
mod majority;
mod outbox;
