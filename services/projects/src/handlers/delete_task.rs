use std::sync::Arc;

use contracts::{Action, AuditSubject, Conditional, DeleteTask, Failure, deleted};
use kit::{Call, Error};

use crate::{App, WAIT, bindings};

/// Deletes a task, and ends its assignments.
pub(crate) async fn delete_task(
    app: Arc<App>,
    call: Call,
    Conditional { change: DeleteTask { id }, if_match }: Conditional<DeleteTask>,
) -> Result<(), Error> {
    call.require_admin()?;
    kit::change!(app.db.awaited(WAIT), tx => {
        let found = app.store.tasks.find_in(tx, id).await?;
        let mut task = found.ok_or_else(|| Failure::not_found("task"))?;
        if_match.require(|| task.state.tag())?;
        let was = task.state.clone();
        let now = app.clock.now();
        task.state.employees.clear();
        bindings::assign(&app, tx, &task, now).await?;
        app.store.tasks.delete(tx, id).await?;
        app.store.former_names.keep(tx, id.0, &task.state.name).await?;
        tx.emit(&task.deleted(now)).await?;
        tx.audit(Action::TaskDeleted, AuditSubject::new("task", id), deleted(&was)).await?;
        Ok(())
    })
}
