use std::sync::Arc;

use contracts::{Awaited, Caller, MailRequested, MintMail};
use kit::{Delivery, Error};

use super::sending::{NotDone, send_once};
use crate::{App, domain::account_mail, outgoing::Letter};

/// Mails an employee about their account: a link, or a notice of a change.
pub(crate) async fn mail_requested(
    app: Arc<App>,
    delivery: Delivery,
    event: MailRequested,
) -> Result<Vec<Awaited>, Error> {
    let id = event.mail_id;
    let letter = async {
        let minted = app.bus.ask(Caller::Service, &MintMail { mail_id: id }).await;
        let minted = minted.map_err(NotDone::Unminted)?.ok_or(NotDone::Overtaken)?;
        let now = app.clock.now();
        let mail = account_mail(&minted, &app.public_url, now);
        Letter::compose(&app.sender, (&minted.name, &minted.email), id, mail, now).map_err(NotDone::Unsent)
    };
    send_once(&app, &delivery, id, letter, |_, _| None).await
}
