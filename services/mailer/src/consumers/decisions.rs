//! Mails employees what was decided about their time.

use std::sync::Arc;

use contracts::{AdjustmentMade, Awaited, CorrectionDecided, PeriodDecided};
use kit::{Delivery, Error};

use super::sending::{NotDone, about_time, send_once};
use crate::{
    App,
    domain::{adjustment_mail, correction_mail, period_mail},
};

/// Mails the employee that hours which arrived late were admitted.
pub(crate) async fn adjustment_made(
    app: Arc<App>,
    delivery: Delivery,
    event: AdjustmentMade,
) -> Result<Vec<Awaited>, Error> {
    let (id, employee) = (event.mail_id(), event.adjustment.employee_id);
    let letter = about_time(&app, employee, id, |name| Some(adjustment_mail(name, &event, &app.public_url)));
    send_once(&app, &delivery, id, letter, |_, _| None).await
}

/// Mails the employee the decision about a requested correction.
pub(crate) async fn correction_decided(
    app: Arc<App>,
    delivery: Delivery,
    event: CorrectionDecided,
) -> Result<Vec<Awaited>, Error> {
    let (id, employee) = (event.mail_id(), event.correction.employee_id);
    let letter = about_time(&app, employee, id, |name| Some(correction_mail(name, &event, &app.public_url)));
    send_once(&app, &delivery, id, letter, |_, _| None).await
}

/// Mails the employee the decision about a pay period, unless a later decision replaced it.
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
