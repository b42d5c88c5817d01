use std::sync::Arc;

use contracts::{Failure, GetEmployee};
use kit::{Call, Error};

use crate::App;

/// Returns an employee, to an admin or to that employee.
pub(crate) async fn get_employee(
    app: Arc<App>,
    call: Call,
    request: GetEmployee,
) -> Result<contracts::Employee, Error> {
    call.require_sight_of(request.id)?;
    let employee = app.store.employees.get(request.id).await?.ok_or_else(|| Failure::not_found("employee"))?;
    Ok(employee.shown())
}
