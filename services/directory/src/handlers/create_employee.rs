use std::sync::Arc;

use contracts::{Action, AuditSubject, CreateEmployee, created};
use kit::{Call, Error};

use super::{email_taken, send};
use crate::{App, WAIT, domain::Employee};

/// Creates an employee who cannot log in yet, and has the invitation mailed.
pub(crate) async fn create_employee(
    app: Arc<App>,
    call: Call,
    request: CreateEmployee,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let (employee, invitation) =
        Employee::create(kit::new_id(), kit::new_id(), kit::new_id(), request, app.clock.now());
    kit::change!(app.db.awaited(WAIT), tx => {
        app.store.employees.insert(tx, &employee).await?;
        tx.emit(&employee.changed()).await?;
        let changes = created(&employee.clone().shown());
        tx.audit(Action::EmployeeCreated, AuditSubject::new("employee", employee.id), changes).await?;
        send(&app, tx, &employee, invitation.clone()).await
    })
    .map_err(email_taken)?;
    Ok(employee.shown())
}
