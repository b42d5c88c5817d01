//! What the gateway answers: one file a group of calls, and [`router`] with all of them.

mod accounts;
mod analytics;
mod batch;
mod corrections;
mod created;
mod employees;
mod form;
mod health;
mod list;
mod projects;
mod router;
mod tasks;
mod time_entries;
mod windows;

#[cfg(test)]
pub(crate) use router::described;
pub(crate) use router::router;
