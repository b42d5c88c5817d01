use std::sync::Arc;

use contracts::{Awaited, CorrectionDecided};
use kit::{Delivery, Error};

use super::sending::{about_time, send_once};
use crate::{App, domain::correction_mail};

/// Mails whoever has asked for a correction what was decided.
pub(crate) async fn correction_decided(
    app: Arc<App>,
    delivery: Delivery,
    event: CorrectionDecided,
) -> Result<Vec<Awaited>, Error> {
    let (id, employee) = (event.mail_id(), event.correction.employee_id);
    let letter = about_time(&app, employee, id, |name| Some(correction_mail(name, &event, &app.public_url)));
    send_once(&app, &delivery, id, letter, |_, _| None).await
}
