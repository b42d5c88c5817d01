use std::sync::Arc;

use contracts::{Action, Conditional, Failure, SetPermissions};
use kit::{Call, Error};

use super::{audit, save};
use crate::{App, WAIT};

/// Replaces the permissions of one computer of an employee.
pub(crate) async fn set_permissions(
    app: Arc<App>,
    call: Call,
    Conditional { change: request, if_match }: Conditional<SetPermissions>,
) -> Result<contracts::Employee, Error> {
    call.require_sight_of(request.id)?;
    let now = app.clock.now();
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, request.id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        if_match.require(|| employee.clone().shown().permissions_tag())?;
        let was = employee.clone();
        employee.set_permissions(request.entry.clone(), now)?;
        save(&app, tx, &employee).await?;
        audit(tx, Action::PermissionsSet, was, &employee).await?;
        Ok(employee)
    })?;
    Ok(employee.shown())
}
