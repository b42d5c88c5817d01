use std::sync::Arc;

use contracts::{Awaited, EmployeeChanged};
use kit::{Delivery, Error};

use crate::App;

/// Writes into the bucket that gateways watch which older tokens of an employee are invalid. The
/// handler of a deactivation does the same; this consumer does it if the handler crashes before
/// that.
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
