use std::sync::Arc;

use contracts::{EmployeeState, Failure, GetEmployeeStates};
use kit::{Call, Error};

use crate::App;

/// The most ids in one request.
const MOST: usize = 1_000;

/// Returns the states of employees. Unknown ids are left out.
pub(crate) async fn get_employee_states(
    app: Arc<App>,
    call: Call,
    request: GetEmployeeStates,
) -> Result<Vec<EmployeeState>, Error> {
    call.require_admin()?;
    if request.ids.len() > MOST {
        return Err(Failure::field("ids", format!("must be at most {MOST}")).into());
    }
    app.store.employees.employee_states(request.ids).await
}
