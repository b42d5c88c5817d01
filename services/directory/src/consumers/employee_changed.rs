use std::sync::Arc;

use contracts::{Awaited, EmployeeChanged};
use kit::{Delivery, Error};

use crate::App;

/// Publishes to gateways which older tokens of an employee are invalid. The handler of a deactivation does the
/// same; this covers a crash of the handler.
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
