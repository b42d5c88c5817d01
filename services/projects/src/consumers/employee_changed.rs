use std::sync::Arc;

use contracts::{Action, AuditSubject, Awaited, EmployeeChanged, Millis, ProjectId, Standing, changed};
use kit::{Delivery, Error};

use crate::{App, bindings, domain::ended_at, payroll};

/// Takes the deactivated off everything that they were put on before.
///
/// What counts is the newest we have heard of the employee, not this event: whenever it comes, what
/// is older than the last deactivation goes and what is newer stays.
pub(crate) async fn employee_changed(
    app: Arc<App>,
    delivery: Delivery,
    EmployeeChanged(heard): EmployeeChanged,
) -> Result<Vec<Awaited>, Error> {
    app.store.employee_refs.learn(std::slice::from_ref(&heard)).await?;
    sweep_all(&app, &delivery, heard).await
}

/// The same of what is known already.
pub(crate) async fn sweep_all(app: &App, delivery: &Delivery, heard: Standing) -> Result<Vec<Awaited>, Error> {
    let newest = app.store.employee_refs.find(heard.id).await?.unwrap_or_else(|| heard.clone());
    // For events of earlier versions, which do not say when the employee was active.
    let otherwise = heard.deactivated_at.unwrap_or_else(|| app.clock.now());
    let mut caused = Vec::new();
    for project in app.store.members.before_epoch(newest.id, newest.epoch).await? {
        caused.extend(sweep(app, delivery, project, &newest, otherwise).await?);
    }
    Ok(caused)
}

/// One project a transaction: a few locks at a time, however much there is to sweep.
async fn sweep(
    app: &App,
    delivery: &Delivery,
    id: ProjectId,
    employee: &Standing,
    otherwise: Millis,
) -> Result<Vec<Awaited>, Error> {
    kit::follow!(app.db.following(delivery), tx => {
        let Some(mut project) = app.store.projects.lock(tx, id).await? else { return Ok(()) };
        let members = app.store.members.between(tx, id, &[employee.id]).await?;
        // Somebody may have been faster.
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
