use std::sync::Arc;

use contracts::{Awaited, Caller, DeliveryChanged, InvitationRequested, MailId, MintToken};
use kit::{Delivery, Error};

use super::sending::{NotDone, send_once};
use crate::{App, domain::invitation_mail, outgoing::Letter};

/// Mails an invitation, and reports the state of the delivery to directory, which shows it to
/// admins.
pub(crate) async fn invitation_requested(
    app: Arc<App>,
    delivery: Delivery,
    event: InvitationRequested,
) -> Result<Vec<Awaited>, Error> {
    let InvitationRequested { invitation_id, employee_id, .. } = event;
    let id = MailId(invitation_id.0);
    let letter = async {
        let minted = app.bus.ask(Caller::Service, &MintToken { invitation_id, employee_id }).await;
        let minted = minted.map_err(NotDone::Unminted)?.ok_or(NotDone::Overtaken)?;
        let now = app.clock.now();
        let mail = invitation_mail(&minted, &app.public_url, now);
        Letter::compose(&app.sender, (&minted.name, &minted.email), id, mail, now).map_err(NotDone::Unsent)
    };
    let told = |version, delivery| Some(DeliveryChanged { invitation_id, employee_id, version, delivery });
    send_once(&app, &delivery, id, letter, told).await
}
