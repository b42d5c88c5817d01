//! What the gateway answers: one file a group of calls, and [`router`] with all of them.

mod accounts;
mod actors;
mod analytics;
mod api_keys;
mod attention;
mod audit;
mod batch;
mod corrections;
mod created;
mod employees;
mod form;
mod health;
mod list;
mod locks;
mod named;
mod passwords;
mod pay_runs;
mod periods;
mod projects;
mod router;
mod sessions;
mod settings;
mod slash;
mod tasks;
mod teams;
mod time_entries;
mod under_path;
mod windows;

pub(crate) use self::{
    accounts::agent, analytics::time_as_csv, audit::trail_as_csv, list::ListRequest, router::router,
};
#[cfg(test)]
pub(crate) use {
    employees::{EmployeeUpdate, NewEmployee},
    router::described,
};
