use std::sync::Arc;

use contracts::{Action, AuditSubject, Code, CreateTask, Failure, created};
use kit::{Call, Error};

use crate::{
    App, WAIT, bindings,
    domain::{Task, task},
};

/// Creates a task with its employees.
pub(crate) async fn create_task(app: Arc<App>, call: Call, mut request: CreateTask) -> Result<contracts::Task, Error> {
    call.require_admin()?;
    let (id, now) = (kit::new_id(), app.clock.now());
    request.employees = task::assignees(request.employees)?;
    bindings::employee_states(&app, request.employees.as_deref().unwrap_or_default()).await?;
    kit::change!(app.db.awaited(WAIT), tx => {
        let project = app.store.projects.lock(tx, request.project_id).await?.ok_or_else(no_such_project)?;
        let task = Task::new(id, request.clone(), &project, now)?;
        app.store.tasks.insert(tx, &task).await?;
        bindings::assign(&app, tx, &task, now).await?;
        tx.emit(&task.changed()).await?;
        tx.audit(Action::TaskCreated, AuditSubject::new("task", id), created(&task.state)).await?;
        Ok(task.state)
    })
}

/// The failure for a task whose project does not exist.
pub(super) fn no_such_project() -> Failure {
    Failure::new(Code::UnknownProject, "There is no project with this projectId. Create it first.")
}
