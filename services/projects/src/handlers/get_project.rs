use std::sync::Arc;

use contracts::{Failure, GetProject};
use kit::{Call, Error};

use super::employee_or_admin;
use crate::App;

/// Returns a project. Employees get only projects that they are members of.
pub(crate) async fn get_project(
    app: Arc<App>,
    call: Call,
    GetProject { id }: GetProject,
) -> Result<contracts::Project, Error> {
    let employee = employee_or_admin(&call)?;
    let project = app.store.projects.find(id).await?.map(|project| project.state);
    let visible = project.filter(|project| employee.is_none_or(|id| project.employees.contains(&id)));
    visible.ok_or_else(|| Failure::not_found("project").into())
}
