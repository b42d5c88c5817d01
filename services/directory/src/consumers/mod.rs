//! The handlers of events.

mod access_changed;
mod delivery_changed;
mod employee_changed;
mod member_changed;

pub(crate) use access_changed::{account_changed, api_key_changed, session_ended};
pub(crate) use delivery_changed::delivery_changed;
pub(crate) use employee_changed::employee_changed;
pub(crate) use member_changed::member_changed;
