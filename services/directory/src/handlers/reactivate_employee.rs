use std::sync::Arc;

use contracts::{Action, Failure, ReactivateEmployee};
use kit::{Call, Error};

use super::{audit, save};
use crate::{App, WAIT};

/// Undoes a deactivation. An employee who has a password can log in again; an employee without one
/// needs a new invitation.
pub(crate) async fn reactivate_employee(
    app: Arc<App>,
    call: Call,
    request: ReactivateEmployee,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        let was = employee.clone();
        employee.reactivate(now)?;
        save(&app, tx, &employee).await?;
        audit(tx, Action::EmployeeReactivated, was, &employee).await?;
        Ok(employee)
    })?;
    Ok(employee.shown())
}
