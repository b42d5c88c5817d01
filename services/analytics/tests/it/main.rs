//! The tests of analytics with a real nats-server and a real mongod: events are published, and
//! reports are requested.

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
