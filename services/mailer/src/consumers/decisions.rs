//! Sends employees a mail about each decision about their time.

use std::sync::Arc;

use contracts::{AdjustmentMade, Awaited, CorrectionDecided, EmployeeId, MailId, Name, PeriodDecided};
use kit::{Delivery, Error};

use super::sending::{NotDone, about_time, send_once};
use crate::{
    App,
    domain::{Mail, adjustment_mail, correction_mail, period_mail},
};

/// Mails the employee that late hours were admitted: hours that arrived after their day was
/// settled.
pub(crate) async fn adjustment_made(
    app: Arc<App>,
    delivery: Delivery,
    event: AdjustmentMade,
) -> Result<Vec<Awaited>, Error> {
    let (id, employee) = (event.mail_id(), event.adjustment.employee_id);
    mail_once(&app, &delivery, id, employee, |name| adjustment_mail(name, &event, &app.public_url)).await
}

/// Mails the employee the decision about a requested correction.
pub(crate) async fn correction_decided(
    app: Arc<App>,
    delivery: Delivery,
    event: CorrectionDecided,
) -> Result<Vec<Awaited>, Error> {
    let (id, employee) = (event.mail_id(), event.correction.employee_id);
    mail_once(&app, &delivery, id, employee, |name| correction_mail(name, &event, &app.public_url)).await
}

/// Mails the employee the decision about a pay period, unless a later decision about the same
/// period is known.
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

/// Sends an employee one mail about an event, however often the event is delivered.
async fn mail_once(
    app: &App,
    delivery: &Delivery,
    id: MailId,
    employee: EmployeeId,
    write: impl Fn(&Name) -> Mail,
) -> Result<Vec<Awaited>, Error> {
    let letter = about_time(app, employee, id, |name| Some(write(name)));
    send_once(app, delivery, id, letter, |_, _| None).await
}
