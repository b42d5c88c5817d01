use std::sync::Arc;

use contracts::{AdjustmentMade, Awaited};
use kit::{Delivery, Error};

use super::sending::{about_time, send_once};
use crate::{App, domain::adjustment_mail};

/// Mails whose hours were admitted although their time was settled.
pub(crate) async fn adjustment_made(
    app: Arc<App>,
    delivery: Delivery,
    event: AdjustmentMade,
) -> Result<Vec<Awaited>, Error> {
    let (id, employee) = (event.mail_id(), event.adjustment.employee_id);
    let letter = about_time(&app, employee, id, |name| Some(adjustment_mail(name, &event, &app.public_url)));
    send_once(&app, &delivery, id, letter, |_, _| None).await
}
