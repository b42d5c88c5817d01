use std::sync::Arc;

use contracts::{Bounded, EmployeeId, ListEmployees, Page};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::{App, domain::Employee};

/// Lists employees in the order of their creation, as many as fit into a reply. With `within`,
/// lists only the employees with these ids.
pub(crate) async fn list_employees(
    app: Arc<App>,
    call: Call,
    Bounded { asked: request, within }: Bounded<ListEmployees>,
) -> Result<Page<contracts::Employee, EmployeeId>, Error> {
    call.require_admin()?;
    let employees = app.store.employees.list(request.after, within).await?;
    kit::page_within(employees.map_ok(Employee::shown), |employee| employee.id).await
}
