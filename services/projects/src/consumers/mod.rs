//! What this service does about events: one file an event.

mod employee_changed;

pub(crate) use employee_changed::{employee_changed, sweep_all};
