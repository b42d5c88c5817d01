use std::sync::Arc;

use contracts::{Failure, ListTasks, Page, Task, TaskId};
use kit::{Call, Error};

use super::employee_or_admin;
use crate::App;

/// Lists tasks. Employees get only tasks of projects that they are members of.
pub(crate) async fn list_tasks(
    app: Arc<App>,
    call: Call,
    ListTasks { project_id, after }: ListTasks,
) -> Result<Page<Task, TaskId>, Error> {
    let mut projects = project_id.map(|id| vec![id]);
    if let Some(employee) = employee_or_admin(&call)? {
        let mut own = app.store.projects.of_employee(employee).await?;
        if let Some(asked) = project_id {
            own.retain(|id| *id == asked);
            if own.is_empty() {
                return Err(Failure::not_found("project").into());
            }
        }
        projects = Some(own);
    }
    app.store.tasks.list(projects.as_deref(), after).await
}
