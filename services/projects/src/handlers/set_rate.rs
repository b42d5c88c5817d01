use std::sync::Arc;

use contracts::{
    Action, AuditSubject, Caller, Code, DatedRate, EmployeeId, Failure, GetEmployeeStates, RateScope, SetRate, created,
};
use kit::{Call, Error};

use crate::{
    App, WAIT,
    domain::{kept_scope, same_rate},
};

/// Sets a rate that applies from a day on. Setting the same rate again succeeds and changes
/// nothing.
pub(crate) async fn set_rate(app: Arc<App>, call: Call, request: SetRate) -> Result<DatedRate, Error> {
    call.require_admin()?;
    request.check()?;
    let scope = checked(&app, request.scope).await?;
    let id = kit::new_id();
    kit::change!(app.db.awaited(WAIT), tx => {
        let mut locked = app.store.rates.lock(tx, scope).await?;
        if let Some(same) = same_rate(&locked.rates, &request)? {
            // Only the lock document was written, so no event is needed.
            return Ok(same);
        }
        let SetRate { kind, amount, valid_from, .. } = request;
        let rate = DatedRate { id, scope, kind, amount, valid_from, created_at: app.clock.now() };
        app.store.rates.insert(tx, &rate).await?;
        locked.rates.push(rate);
        tx.emit(&locked.changed()).await?;
        tx.audit(Action::RateSet, AuditSubject::new("rate", rate.id), created(&rate)).await?;
        Ok(rate)
    })
}

/// Checks that the project, the task and the employee of the scope exist. Returns the scope to
/// store: the scope of a task has no project, because tasks can move.
async fn checked(app: &App, asked: RateScope) -> Result<RateScope, Error> {
    let task = match asked.task {
        Some(task) => app.store.tasks.find(task).await?,
        None => None,
    };
    let scope = kept_scope(asked, task.as_ref())?;
    if let Some(project) = scope.project
        && app.store.projects.find(project).await?.is_none()
    {
        return Err(Failure::new(Code::UnknownProject, "There is no project with this id. Create it first.").into());
    }
    if let Some(employee) = scope.employee {
        require_employee(app, employee).await?;
    }
    Ok(scope)
}

/// Requires that the employee exists. The employee may be deactivated, because earlier hours can
/// still arrive.
async fn require_employee(app: &App, employee: EmployeeId) -> Result<(), Error> {
    if app.store.employee_refs.find(employee).await?.is_some() {
        return Ok(());
    }
    let employee_states = app.bus.ask(Caller::Service, &GetEmployeeStates { ids: vec![employee] }).await?;
    match employee_states.is_empty() {
        false => Ok(()),
        true => {
            Err(Failure::new(Code::UnknownEmployee, "There is no employee with this id. Create them first.").into())
        }
    }
}
