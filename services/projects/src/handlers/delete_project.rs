use std::sync::Arc;

use contracts::{Action, AuditSubject, Conditional, DeleteProject, Failure, deleted};
use kit::{Call, Error};

use crate::{App, WAIT, bindings};

/// Deletes a project with its tasks, and ends all its memberships.
pub(crate) async fn delete_project(
    app: Arc<App>,
    call: Call,
    Conditional { change: DeleteProject { id }, if_match }: Conditional<DeleteProject>,
) -> Result<(), Error> {
    call.require_admin()?;
    kit::change!(app.db.awaited(WAIT), tx => {
        let found = app.store.projects.lock(tx, id).await?;
        let project = found.ok_or_else(|| Failure::not_found("project"))?;
        if_match.require(|| project.state.tag())?;
        let now = app.clock.now();
        let tasks = app.store.tasks.delete_of(tx, id).await?;
        app.store.former_names.keep_tasks(tx, &tasks).await?;
        app.store.former_names.keep(tx, id.0, &project.state.name).await?;
        bindings::set_members(&app, tx, id, &[], now).await?;
        app.store.projects.delete(tx, id).await?;
        tx.audit(Action::ProjectDeleted, AuditSubject::new("project", id), deleted(&project.state)).await?;
        tx.emit(&project.deleted(now)).await?;
        Ok(())
    })
}
