use std::sync::Arc;

use contracts::{DeactivateEmployee, Failure};
use kit::{Call, Error};

use super::save;
use crate::{App, WAIT_FOR_SWEEP};

/// Deactivates an employee: tokens and invitations are over, and the projects service takes them
/// off everything. That is waited for, so that the answer shows it.
pub(crate) async fn deactivate_employee(
    app: Arc<App>,
    call: Call,
    request: DeactivateEmployee,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let employee = kit::change!(app.db.awaited(WAIT_FOR_SWEEP), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        employee.deactivate(now)?;
        app.store.invitations.close(tx, employee.invitation, now).await?;
        save(&app, tx, &employee).await?;
        Ok(employee)
    })?;
    let swept = app.store.employees.get(employee.id).await?;
    Ok(swept.unwrap_or(employee).shown())
}
