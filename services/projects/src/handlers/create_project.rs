use std::sync::Arc;

use contracts::{Action, AuditSubject, CreateProject, created};
use kit::{Call, Error};

use crate::{App, WAIT, bindings, domain::Project};

/// Creates a project with its members.
pub(crate) async fn create_project(
    app: Arc<App>,
    call: Call,
    request: CreateProject,
) -> Result<contracts::Project, Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let project = Project::new(kit::new_id(), request, now)?;
    let employee_states = bindings::employee_states(&app, &project.state.employees).await?;
    kit::change!(app.db.awaited(WAIT), tx => {
        app.store.projects.insert(tx, &project).await?;
        bindings::set_members(&app, tx, project.state.id, &employee_states, now).await?;
        tx.emit(&project.changed()).await?;
        let subject = AuditSubject::new("project", project.state.id);
        tx.audit(Action::ProjectCreated, subject, created(&project.state)).await?;
        Ok(())
    })?;
    Ok(project.state)
}
