//! The rules of this service. They are pure: no I/O, and the time is a parameter.

mod assignment;
mod employee_state;
mod lists;
mod member;
mod moving;
pub(crate) mod project;
mod rate;
pub(crate) mod task;

pub(crate) use assignment::{Assignment, not_on_project, reassigned};
pub(crate) use employee_state::{ended_at, require_active};
pub(crate) use lists::distinct;
pub(crate) use member::{Member, Turnover};
pub(crate) use moving::{Move, unknown_project};
pub(crate) use project::Project;
pub(crate) use rate::{changed_lines, kept_scope, require_future, same_rate};
pub(crate) use task::Task;

/// Sets a field if a value is given.
fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}
