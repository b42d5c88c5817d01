//! What the trail takes from the stream of events.

mod gaps;
mod recorder;

pub(crate) use gaps::look_for_gaps;
pub(crate) use recorder::Recorder;
