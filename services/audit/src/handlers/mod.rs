//! What this service answers: one file a message.

mod list_entries;

pub(crate) use list_entries::list_entries;
