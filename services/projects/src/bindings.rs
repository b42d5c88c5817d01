//! Functions that write memberships and assignments. They keep the edges (the documents about one
//! employee on one project or task) consistent with the lists of employees of projects and tasks.
//! They run inside a transaction that has locked the project.

use std::collections::HashMap;

use contracts::{Caller, EmployeeId, EmployeeState, GetEmployeeStates, Millis, ProjectId};
use kit::{Error, Tx};

use crate::{
    App,
    domain::{Assignment, Member, Task, Turnover, reassigned, require_active},
};

/// Requests the states of these employees from directory, before they become members or assignees,
/// and stores the states.
///
/// # Errors
/// 400 when an employee does not exist or is deactivated; 503 when directory cannot be reached.
pub(crate) async fn employee_states(app: &App, employees: &[EmployeeId]) -> Result<Vec<EmployeeState>, Error> {
    if employees.is_empty() {
        return Ok(Vec::new());
    }
    let employee_states = app.bus.ask(Caller::Service, &GetEmployeeStates { ids: employees.to_vec() }).await?;
    require_active(employees.len(), &employee_states)?;
    app.store.employee_refs.learn(&employee_states).await?;
    Ok(employee_states)
}

/// Makes exactly these employees the members of a project.
///
/// # Errors
/// 400 when an employee was deactivated after directory had sent the state.
pub(crate) async fn set_members(
    app: &App,
    tx: &mut Tx<'_>,
    project: ProjectId,
    listed: &[EmployeeState],
    now: Millis,
) -> Result<(), Error> {
    let on = app.store.members.of_project(tx, project).await?;
    let Turnover { leaving, joining } = Turnover::between(&on, listed);
    take_off(app, tx, project, &leaving, now).await?;
    put_on(app, tx, project, &joining, now).await
}

/// Adds members to a project.
///
/// # Errors
/// 400 when an employee was deactivated after directory had sent the state.
pub(crate) async fn put_on(
    app: &App,
    tx: &mut Tx<'_>,
    project: ProjectId,
    joining: &[EmployeeId],
    now: Millis,
) -> Result<(), Error> {
    if joining.is_empty() {
        return Ok(());
    }
    let employee_states = app.store.employee_refs.touch(tx, joining).await?;
    require_active(joining.len(), &employee_states)?;
    let epochs: HashMap<_, _> =
        employee_states.iter().map(|employee_state| (employee_state.id, employee_state.epoch)).collect();
    let mut members = app.store.members.between(tx, project, joining).await?;
    for member in &mut members {
        let epoch = if kit::is_mutant("no_epoch_guard") { 0 } else { epochs[&member.employee] };
        member.put_on(epoch, now);
    }
    app.store.members.save(tx, &members).await?;
    tx.emit_all(&members.iter().map(Member::changed).collect::<Vec<_>>()).await
}

/// Ends memberships of a project, and the assignments to its tasks.
///
/// # Errors
/// Those of MongoDB.
pub(crate) async fn take_off(
    app: &App,
    tx: &mut Tx<'_>,
    project: ProjectId,
    leaving: &[EmployeeId],
    at: Millis,
) -> Result<(), Error> {
    if leaving.is_empty() {
        return Ok(());
    }
    let mut members = app.store.members.between(tx, project, leaving).await?;
    for member in &mut members {
        member.take_off(at);
    }
    app.store.members.save(tx, &members).await?;
    if kit::is_mutant("tasks_forgotten") {
        return tx.emit_all(&members.iter().map(Member::changed).collect::<Vec<_>>()).await;
    }
    // `at` may be before the start of a term on a task, so these terms end at the present time
    // instead. That makes no difference, because in all services a term on a task ends at the
    // latest with the term of the membership that it belongs to.
    app.store.assignments.end(tx, project, leaving, app.clock.now()).await?;
    app.store.tasks.take_off(tx, project, leaving).await?;
    tx.emit_all(&members.iter().map(Member::changed).collect::<Vec<_>>()).await
}

/// Changes the edges of a task so that they match the task's list of employees.
///
/// # Errors
/// 400 when an employee is not a member of the task's project.
pub(crate) async fn assign(app: &App, tx: &mut Tx<'_>, task: &Task, now: Millis) -> Result<(), Error> {
    let members = app.store.members.between(tx, task.state.project_id, &task.state.employees).await?;
    let members = members.iter().filter_map(|member| Some((member.employee, member.open_term()?))).collect();
    let edges = app.store.assignments.of_task(tx, task.state.id).await?;
    let changed = reassigned(edges, task, &members, now)?;
    app.store.assignments.save(tx, &changed).await?;
    tx.emit_all(&changed.iter().map(Assignment::changed).collect::<Vec<_>>()).await
}
