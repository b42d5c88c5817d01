use std::sync::Arc;

use contracts::{Action, Failure, InviteEmployee};
use kit::{Call, Error};

use super::{audit, save, send};
use crate::{App, WAIT};

/// Mails a new invitation. The links of older invitations stop working.
pub(crate) async fn invite_employee(
    app: Arc<App>,
    call: Call,
    request: InviteEmployee,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let (now, fresh) = (app.clock.now(), kit::new_id());
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        let was = employee.clone();
        let invitation = employee.invite(fresh, now)?;
        send(&app, tx, &employee, invitation).await?;
        save(&app, tx, &employee).await?;
        audit(tx, Action::EmployeeInvited, was, &employee).await?;
        Ok(employee)
    })?;
    Ok(employee.shown())
}
