use std::sync::Arc;

use contracts::{Action, AuditSubject, Awaited, EmployeeChanged, EmployeeState, Millis, ProjectId, changed};
use kit::{Delivery, Error};

use crate::{App, bindings, domain::ended_at, payroll};

/// Ends the memberships of a deactivated employee.
///
/// Uses the newest known state of the employee, not the state in this event. So memberships from
/// before the last deactivation end and later ones stay, whenever the event arrives.
pub(crate) async fn employee_changed(
    app: Arc<App>,
    delivery: Delivery,
    EmployeeChanged(employee_state): EmployeeChanged,
) -> Result<Vec<Awaited>, Error> {
    app.store.employee_refs.learn(std::slice::from_ref(&employee_state)).await?;
    sweep_all(&app, &delivery, employee_state).await
}

/// Ends the memberships from before the last known deactivation.
pub(crate) async fn sweep_all(
    app: &App,
    delivery: &Delivery,
    employee_state: EmployeeState,
) -> Result<Vec<Awaited>, Error> {
    let newest = app.store.employee_refs.find(employee_state.id).await?.unwrap_or_else(|| employee_state.clone());
    // Events of an earlier version of directory do not say in which intervals the employee was
    // active. Then the memberships end at the time `otherwise`.
    let otherwise = employee_state.deactivated_at.unwrap_or_else(|| app.clock.now());
    let mut caused = Vec::new();
    for project in app.store.members.before_epoch(newest.id, newest.epoch).await? {
        caused.extend(sweep(app, delivery, project, &newest, otherwise).await?);
    }
    Ok(caused)
}

/// Ends the membership in one project, in a transaction of its own, so that few documents are
/// locked at a time.
async fn sweep(
    app: &App,
    delivery: &Delivery,
    id: ProjectId,
    employee: &EmployeeState,
    otherwise: Millis,
) -> Result<Vec<Awaited>, Error> {
    kit::follow!(app.db.following(delivery), tx => {
        let Some(mut project) = app.store.projects.lock(tx, id).await? else { return Ok(()) };
        let members = app.store.members.between(tx, id, &[employee.id]).await?;
        // Another replica may have ended the membership already.
        let older = members.iter().find(|member| member.is_on() && member.epoch < employee.epoch);
        let Some(member) = older else { return Ok(()) };
        let at = ended_at(employee, member.epoch).unwrap_or(otherwise);
        let was = project.state.clone();
        project.take_off(employee.id);
        app.store.projects.replace(tx, &project).await?;
        bindings::take_off(app, tx, id, &[employee.id], at).await?;
        payroll::keep(app, tx, id, &was.payroll, &project.state.payroll, at).await?;
        tx.emit(&project.changed()).await?;
        let changes = changed(&was, &project.state);
        tx.audit(Action::MemberRemoved, AuditSubject::new("project", id), changes).await?;
        Ok(())
    })
}
