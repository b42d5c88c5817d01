//! The consumers of EVENTS.

mod gaps;
mod recorder;

pub(crate) use gaps::look_for_gaps;
pub(crate) use recorder::Recorder;
