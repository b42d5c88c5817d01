//! Timetrack against real NATS and MongoDB: what is sent on the queue, and what becomes of it.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod asking;
mod bindings;
mod clocks;
mod correcting;
mod crashing;
mod knowing;
mod listing;
mod majority;
mod overlaps;
mod plans;
mod quarantine;
mod recording;
mod remembering;
mod scaling;
mod support;
mod updating;
