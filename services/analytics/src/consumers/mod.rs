//! The consumers of events.

mod progress;
mod recount;
pub(crate) mod windows;

pub(crate) use progress::Progress;
pub(crate) use recount::{counting, recount, recount_company, recount_employees};
