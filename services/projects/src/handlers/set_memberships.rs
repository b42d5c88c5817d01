use std::sync::Arc;

use contracts::{Action, AuditSubject, Failure, PROJECTS_MOST, ProjectId, SetMemberships, changed};
use kit::{Call, Error};
use serde_json::json;

use crate::{
    App, WAIT, bindings,
    domain::{Move, distinct, unknown_project},
};

/// Puts an employee on these projects and takes them off all others: in one transaction, so that
/// either all of it is done or nothing.
pub(crate) async fn set_memberships(
    app: Arc<App>,
    call: Call,
    SetMemberships { employee_id: employee, projects }: SetMemberships,
) -> Result<Vec<ProjectId>, Error> {
    call.require_admin()?;
    let listed = distinct(projects);
    if listed.len() > PROJECTS_MOST {
        return Err(Failure::field("projects", format!("must be at most {PROJECTS_MOST} projects")).into());
    }
    // Whoever is put on nothing may be anybody, the deactivated too.
    let asked = if listed.is_empty() { &[][..] } else { &[employee] };
    let standing = bindings::standings(&app, asked).await?.pop();
    kit::change!(app.db.awaited(WAIT), tx => {
        let on = app.store.members.of_employee(tx, employee).await?;
        let Move { leaving, joining } = Move::between(&on, &listed, standing.as_ref());
        let mut projects = app.store.projects.lock_all(tx, leaving.iter().chain(&joining).copied()).await?;
        let now = app.clock.now();
        for id in &leaving {
            let Some(project) = projects.get_mut(id) else { continue };
            if !joining.contains(id) {
                project.take_off(employee);
            }
            bindings::take_off(&app, tx, *id, &[employee], now).await?;
        }
        for id in &joining {
            projects.get_mut(id).ok_or_else(unknown_project)?.put_on(employee)?;
            bindings::put_on(&app, tx, *id, &[employee], now).await?;
        }
        for project in projects.values() {
            app.store.projects.replace(tx, project).await?;
        }
        tx.emit_all(&projects.values().map(|project| project.changed()).collect::<Vec<_>>()).await?;
        let was: Vec<_> = on.iter().map(|member| member.project).collect();
        let changes = changed(&json!({ "projects": was }), &json!({ "projects": listed }));
        tx.audit(Action::MembershipsSet, AuditSubject::new("employee", employee), changes).await?;
        Ok(listed.clone())
    })
}
