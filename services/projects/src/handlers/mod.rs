//! The handlers of requests.

mod create_project;
mod create_task;
mod delete_project;
mod delete_rate;
mod delete_task;
mod get_names;
mod get_project;
mod get_rate;
mod get_task;
mod list_projects;
mod list_rates;
mod list_tasks;
mod set_memberships;
mod set_rate;
mod states;
mod update_project;
mod update_task;

use contracts::{Caller, EmployeeId, Failure};
use kit::Call;

pub(crate) use create_project::create_project;
pub(crate) use create_task::create_task;
pub(crate) use delete_project::delete_project;
pub(crate) use delete_rate::delete_rate;
pub(crate) use delete_task::delete_task;
pub(crate) use get_names::get_names;
pub(crate) use get_project::get_project;
pub(crate) use get_rate::get_rate;
pub(crate) use get_task::get_task;
pub(crate) use list_projects::list_projects;
pub(crate) use list_rates::list_rates;
pub(crate) use list_tasks::list_tasks;
pub(crate) use set_memberships::set_memberships;
pub(crate) use set_rate::set_rate;
pub(crate) use states::{list_assignments, list_members, list_project_states, list_task_states};
pub(crate) use update_project::update_project;
pub(crate) use update_task::update_task;

/// Refuses callers that are neither admins nor employees. Returns the employee, or None for an
/// admin. An employee may see only their own projects; for other projects the answer is as if they
/// did not exist.
fn employee_or_admin(call: &Call) -> Result<Option<EmployeeId>, Failure> {
    match call.caller {
        Caller::Employee(id) => Ok(Some(id)),
        _ => call.require_admin().map(|()| None),
    }
}
