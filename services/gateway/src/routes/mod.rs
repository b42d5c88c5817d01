//! The HTTP API: one file for each group of operations, and [`router`] with all of them.

mod accounts;
mod actors;
mod adjustments;
mod analytics;
mod api_keys;
mod attention;
mod audit;
mod batch;
mod correction_requests;
mod corrections;
mod created;
mod employees;
mod form;
mod health;
mod list;
mod locks;
mod named;
mod passwords;
mod pay_run_sheet;
mod pay_runs;
mod periods;
mod projects;
mod rates;
mod reprice;
mod router;
mod sessions;
mod settings;
mod slash;
mod tasks;
mod teams;
mod time_entries;
mod time_sheet;
mod under_path;
mod windows;

pub(crate) use self::{
    accounts::agent,
    analytics::time_as_csv,
    audit::trail_as_csv,
    list::ListRequest,
    locks::LOCK_PATIENCE,
    pay_runs::{PAY_RUN_PATIENCE, pay_run_as_csv, pay_run_as_json, pay_run_as_xlsx, whole_pay_run},
    reprice::REPRICE_PATIENCE,
    router::router,
    time_sheet::time_as_xlsx,
};
#[cfg(test)]
pub(crate) use {
    employees::{EmployeeUpdate, NewEmployee},
    router::described,
};
