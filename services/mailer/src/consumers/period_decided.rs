use std::sync::Arc;

use contracts::{Awaited, PeriodDecided};
use kit::{Delivery, Error};

use super::sending::{NotDone, about_time, send_once};
use crate::{App, domain::period_mail};

/// Mails whose pay period it is what was decided about it, unless it was decided otherwise since.
pub(crate) async fn period_decided(
    app: Arc<App>,
    delivery: Delivery,
    event: PeriodDecided,
) -> Result<Vec<Awaited>, Error> {
    let (id, period) = (event.mail_id(), event.period.id);
    let is_latest = app.decisions.is_latest(period, event.version).await?;
    let letter = async {
        if !is_latest {
            return Err(NotDone::Overtaken);
        }
        about_time(&app, period.employee, id, |name| Some(period_mail(name, &event, &app.public_url))).await
    };
    send_once(&app, &delivery, id, letter, |_, _| None).await
}
