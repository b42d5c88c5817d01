//! The handlers of this service's requests.

mod long_days;
mod period_sums;
mod project_time;
mod silent;
mod task_time;
mod time;

pub(crate) use long_days::long_days;
pub(crate) use period_sums::period_sums;
pub(crate) use project_time::project_time;
pub(crate) use silent::silent;
pub(crate) use task_time::task_time;
pub(crate) use time::time;
