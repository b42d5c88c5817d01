use std::sync::Arc;

use contracts::{Action, AuditSubject, Conditional, Failure, UpdateTask, changed};
use kit::{Call, Error};

use super::create_task::no_such_project;
use crate::{App, WAIT, bindings, domain::task};

/// Changes a task, or moves it to another project.
pub(crate) async fn update_task(
    app: Arc<App>,
    call: Call,
    Conditional { change: UpdateTask { id, changes }, if_match }: Conditional<UpdateTask>,
) -> Result<contracts::Task, Error> {
    call.require_admin()?;
    let changes = task::checked(changes)?;
    bindings::employee_states(&app, changes.employees.as_deref().unwrap_or_default()).await?;
    kit::change!(app.db.awaited(WAIT), tx => {
        let belongs_to = app.store.tasks.find(id).await?.ok_or_else(no_such_task)?.state.project_id;
        let project = changes.project_id.unwrap_or(belongs_to);
        let project = app.store.projects.lock(tx, project).await?.ok_or_else(no_such_project)?;
        let mut task = app.store.tasks.find_in(tx, id).await?.ok_or_else(no_such_task)?;
        if_match.require(|| task.state.tag())?;
        let was = task.state.clone();
        let now = app.clock.now();
        task.change(changes.clone(), &project, now)?;
        app.store.tasks.replace(tx, &task).await?;
        bindings::assign(&app, tx, &task, now).await?;
        tx.emit(&task.changed()).await?;
        tx.audit(Action::TaskUpdated, AuditSubject::new("task", id), changed(&was, &task.state)).await?;
        Ok(task.state)
    })
}

fn no_such_task() -> Failure {
    Failure::not_found("task")
}
