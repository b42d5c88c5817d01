//! The tests of timetrack, with a real nats-server and a real mongod. Most send windows to the
//! queue, and check the outcomes.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod asking;
mod batched;
mod bindings;
mod bytes;
mod clocks;
mod correcting;
mod crashing;
mod knowing;
mod lanes;
mod layouts;
mod listing;
mod locking;
mod majority;
mod overlaps;
mod periods;
mod plans;
mod pricing;
mod quarantine;
mod races;
mod reconciling;
mod recording;
mod remembering;
mod repricing;
mod scaling;
mod settled;
mod support;
mod tracking;
mod updating;
