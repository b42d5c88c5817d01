use std::sync::Arc;

use contracts::{Action, Code, Conditional, Failure, Role, SetRole};
use kit::{Call, Error, Tx};

use super::{audit, end_sessions, grants, require, save, until_account_is_known};
use crate::{App, WAIT, domain::Employee};

/// Changes the role of an employee, and ends all sessions of the employee.
pub(crate) async fn set_role(
    app: Arc<App>,
    call: Call,
    Conditional { change: request, if_match }: Conditional<SetRole>,
) -> Result<contracts::Employee, Error> {
    call.require_admin()?;
    let maker = grants(&app, &call).await?;
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        require(&if_match, &employee)?;
        if employee.role == request.role {
            return Ok(employee);
        }
        // Both the new and the old role are checked: nobody may give or take away a role that
        // allows more than their own.
        if !maker.include(&request.role.scopes()) || !maker.include(&employee.role.scopes()) {
            let detail = "You may neither give nor take a role that allows more than you may do.";
            return Err(Failure::new(Code::MissingScope, detail).into());
        }
        require_another_owner(&app, tx, &employee).await?;
        let was = employee.clone();
        employee.set_role(request.role);
        end_sessions(&app, tx, &mut employee, None).await?;
        save(&app, tx, &employee).await?;
        audit(tx, Action::RoleSet, was, &employee).await?;
        Ok(employee)
    })?;
    until_account_is_known(&app, &employee).await?;
    Ok(employee.shown())
}

/// Refuses a change that leaves no owner who can log in. Without an owner, only the holder of the
/// root key could appoint one.
///
/// # Errors
/// 409.
pub(super) async fn require_another_owner(app: &App, tx: &mut Tx<'_>, employee: &Employee) -> Result<(), Error> {
    let is_owner = employee.role == Role::Owner && employee.is_active();
    if is_owner && !app.store.owners.are_there_beside(tx, employee.id).await? {
        let detail = "This is the last owner: make somebody else an owner first.";
        return Err(Failure::new(Code::LastOwner, detail).into());
    }
    Ok(())
}
