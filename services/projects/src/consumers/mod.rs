//! The handlers of events, one file for each.

mod employee_changed;

pub(crate) use employee_changed::{employee_changed, sweep_all};
