use std::sync::Arc;

use contracts::{Awaited, DeliveryChanged};
use kit::{Delivery, Error};

use crate::App;

/// Stores the delivery state of an employee's last invitation, which admins see.
///
/// The state is a copy of the mailer's. A change of it does not change the employee's version, and
/// no event reports it.
pub(crate) async fn delivery_changed(
    app: Arc<App>,
    _delivery: Delivery,
    event: DeliveryChanged,
) -> Result<Vec<Awaited>, Error> {
    app.store.employees.set_delivery(event).await?;
    Ok(Vec::new())
}
