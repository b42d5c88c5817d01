//! Analytics with a real NATS and a real MongoDB: events in, answers out.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod arriving;
mod asking;
mod counting;
mod explaining;
mod fixture;
mod grouping;
mod long_days;
mod majority;
mod rebuilding;
mod reconciling;
mod replicas;
mod silent;
