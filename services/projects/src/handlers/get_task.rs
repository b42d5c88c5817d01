use std::sync::Arc;

use contracts::{Failure, GetTask, Task};
use kit::{Call, Error};

use super::employee_or_admin;
use crate::App;

/// Returns a task. Employees get only tasks of projects that they are members of.
pub(crate) async fn get_task(app: Arc<App>, call: Call, GetTask { id }: GetTask) -> Result<Task, Error> {
    let employee = employee_or_admin(&call)?;
    let task = app.store.tasks.find(id).await?.ok_or_else(|| Failure::not_found("task"))?.state;
    if let Some(id) = employee {
        let project = app.store.projects.find(task.project_id).await?;
        if !project.is_some_and(|project| project.state.employees.contains(&id)) {
            return Err(Failure::not_found("task").into());
        }
    }
    Ok(task)
}
