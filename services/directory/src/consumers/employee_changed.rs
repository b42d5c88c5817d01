use std::sync::Arc;

use contracts::{Awaited, EmployeeChanged};
use kit::{Delivery, Error};

use crate::App;

/// Tells the gateways whose older tokens are over, by the bucket that they watch: also where whoever
/// deactivated somebody died before it could.
pub(crate) async fn employee_changed(
    app: Arc<App>,
    _delivery: Delivery,
    EmployeeChanged(standing): EmployeeChanged,
) -> Result<Vec<Awaited>, Error> {
    if standing.epoch > 0 {
        app.revocations.revoke(standing.id, standing.epoch).await?;
    }
    Ok(Vec::new())
}
