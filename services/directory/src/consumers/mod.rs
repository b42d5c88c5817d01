//! What directory does about events.

mod employee_changed;
mod member_changed;

pub(crate) use employee_changed::employee_changed;
pub(crate) use member_changed::member_changed;
