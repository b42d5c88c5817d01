use std::sync::Arc;

use contracts::{Awaited, EmployeeChanged};
use kit::{Delivery, Error};

use crate::App;

/// Copies an employee's epoch into the KV bucket that gateways watch, if the employee was ever
/// deactivated. Gateways refuse tokens of older epochs. The handler of a deactivation does the
/// same. This consumer repeats it, in case the handler crashed before that.
pub(crate) async fn employee_changed(
    app: Arc<App>,
    _delivery: Delivery,
    EmployeeChanged(employee_state): EmployeeChanged,
) -> Result<Vec<Awaited>, Error> {
    if employee_state.epoch > 0 {
        app.revocations.revoke(employee_state.id, employee_state.epoch).await?;
    }
    Ok(Vec::new())
}
