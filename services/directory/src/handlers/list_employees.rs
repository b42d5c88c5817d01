use std::sync::Arc;

use contracts::{EmployeeId, ListEmployees, Page};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::{App, domain::Employee};

/// Lists all employees, in the order in which they were created, as many as fit into a reply.
pub(crate) async fn list_employees(
    app: Arc<App>,
    call: Call,
    request: ListEmployees,
) -> Result<Page<contracts::Employee, EmployeeId>, Error> {
    call.require_admin()?;
    let employees = app.store.employees.list(request.after).await?;
    kit::page_within(employees.map_ok(Employee::shown), |employee| employee.id).await
}
