use std::sync::Arc;

use contracts::{Awaited, DeliveryChanged};
use kit::{Delivery, Error};

use crate::App;

/// Keeps at the employee how the mail of the last invitation stands, for admins to see.
///
/// It is a copy and no part of the employee's version: no event tells of it.
pub(crate) async fn delivery_changed(
    app: Arc<App>,
    _delivery: Delivery,
    event: DeliveryChanged,
) -> Result<Vec<Awaited>, Error> {
    app.store.employees.set_delivery(event).await?;
    Ok(Vec::new())
}
