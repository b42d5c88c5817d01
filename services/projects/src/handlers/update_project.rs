use std::sync::Arc;

use contracts::{Action, AuditSubject, Conditional, Failure, UpdateProject, changed};
use kit::{Call, Error};

use crate::{App, WAIT, bindings, domain, payroll};

/// Changes a project. Employees who leave the project also leave its tasks.
pub(crate) async fn update_project(
    app: Arc<App>,
    call: Call,
    Conditional { change: UpdateProject { id, changes }, if_match }: Conditional<UpdateProject>,
) -> Result<contracts::Project, Error> {
    call.require_admin()?;
    let changes = domain::project::checked(changes)?;
    let employee_states = match &changes.employees {
        Some(employees) => Some(bindings::employee_states(&app, employees).await?),
        None => None,
    };
    kit::change!(app.db.awaited(WAIT), tx => {
        let found = app.store.projects.lock(tx, id).await?;
        let mut project = found.ok_or_else(|| Failure::not_found("project"))?;
        if_match.require(|| project.state.tag())?;
        let was = project.state.clone();
        // The time is read after the lock, so that a later change has a later time.
        let now = app.clock.now();
        project.change(changes.clone(), now)?;
        app.store.projects.replace(tx, &project).await?;
        if let Some(employee_states) = &employee_states {
            bindings::set_members(&app, tx, id, employee_states, now).await?;
        }
        payroll::keep(&app, tx, id, &was.payroll, &project.state.payroll, now).await?;
        tx.emit(&project.changed()).await?;
        let action = match (was.archived, project.state.archived) {
            (false, true) => Action::ProjectArchived,
            (true, false) => Action::ProjectReopened,
            _ => Action::ProjectUpdated,
        };
        tx.audit(action, AuditSubject::new("project", id), changed(&was, &project.state)).await?;
        Ok(project.state)
    })
}
