use std::sync::Arc;

use contracts::{Awaited, Caller, CorrectionDecided, GetMailAddress};
use kit::{Delivery, Error};

use super::sending::{NotDone, send_once};
use crate::{App, domain::correction_mail, outgoing::Letter};

/// Mails whoever has asked for a correction what was decided.
pub(crate) async fn correction_decided(
    app: Arc<App>,
    delivery: Delivery,
    event: CorrectionDecided,
) -> Result<Vec<Awaited>, Error> {
    let id = event.mail_id();
    let letter = async {
        let asked = GetMailAddress { employee_id: event.correction.employee_id };
        let address = app.bus.ask(Caller::Service, &asked).await.map_err(NotDone::Unminted)?;
        let to = address.ok_or(NotDone::Overtaken)?;
        let mail = correction_mail(&to.name, &event, &app.public_url);
        Letter::compose(&app.sender, (&to.name, &to.email), id, mail, app.clock.now()).map_err(NotDone::Unsent)
    };
    send_once(&app, &delivery, id, letter, |_, _| None).await
}
