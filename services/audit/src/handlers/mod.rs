//! The handlers of requests, one file for each.

mod list_entries;

pub(crate) use list_entries::list_entries;
