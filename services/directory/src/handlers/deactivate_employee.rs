use std::sync::Arc;

use contracts::{Action, Code, Conditional, DeactivateEmployee, EmployeeId, Failure, Revocation};
use kit::{Call, Error};

use super::{audit, require, save, set_role::require_another_owner};
use crate::{App, WAIT_FOR_SWEEP};

/// Deactivates an employee: sessions, invitations and mailed links end, and the service `projects`
/// ends all memberships. Waits for a limited time until this service's copy of the memberships
/// shows that, and then until no gateway accepts a token of the employee any more.
pub(crate) async fn deactivate_employee(
    app: Arc<App>,
    call: Call,
    Conditional { change: request, if_match }: Conditional<DeactivateEmployee>,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let changed = kit::change!(app.db.awaited(WAIT_FOR_SWEEP), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        // A second deactivation changes nothing, so the request's condition (If-Match) need not
        // hold for it.
        if employee.deactivated_at.is_none() {
            require(&if_match, &employee)?;
        }
        require_another_owner(&app, tx, &employee).await?;
        let was = employee.clone();
        employee.deactivate(now)?;
        app.store.invitations.close(tx, employee.invitation, now).await?;
        app.store.sessions.end_all(tx, employee.id, None, now).await?;
        app.store.mails.close(tx, employee.id, now).await?;
        save(&app, tx, &employee).await?;
        audit(tx, Action::EmployeeDeactivated, was, &employee).await?;
        Ok(employee)
    });
    let employee = match changed {
        Ok(employee) => employee,
        // A client that got no answer repeats the request. This answer, too, must mean that all
        // tokens have ended.
        Err(Error::Failure(failure)) if failure.code == Code::AlreadyDeactivated => {
            end_tokens(&app, request.id).await?;
            return Err(failure.into());
        }
        Err(error) => return Err(error),
    };
    end_tokens(&app, employee.id).await?;
    let swept = app.store.employees.get(employee.id).await?;
    Ok(swept.unwrap_or(employee).shown())
}

/// Writes the employee's epoch into the KV bucket that gateways watch, and waits until no gateway
/// accepts a token of this employee. The consumer of the event about the employee writes the same,
/// but the answer does not wait for the consumer.
async fn end_tokens(app: &App, employee: EmployeeId) -> Result<(), Error> {
    let Some(employee) = app.store.employees.get(employee).await? else { return Ok(()) };
    let revision = app.revocations.revoke(employee.id, employee.epoch).await?;
    app.revocations.until_all_know(&Revocation::key(employee.id), revision).await;
    Ok(())
}
