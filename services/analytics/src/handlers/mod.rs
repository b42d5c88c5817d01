//! What this service answers.

mod project_time;
mod task_time;
mod time;

pub(crate) use project_time::project_time;
pub(crate) use task_time::task_time;
pub(crate) use time::time;
