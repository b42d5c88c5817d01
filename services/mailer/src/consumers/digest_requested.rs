use std::sync::Arc;

use contracts::{Awaited, Caller, Code, CountWaiting, DigestRequested, GetReach};
use kit::{Delivery, Error};

use super::sending::{NotDone, about_time, send_once};
use crate::{App, domain::digest_mail};

/// Mails a manager what waits for their decision now. No mail is sent if nothing waits or if the
/// day of the digest is over.
pub(crate) async fn digest_requested(
    app: Arc<App>,
    delivery: Delivery,
    event: DigestRequested,
) -> Result<Vec<Awaited>, Error> {
    let (id, manager) = (event.mail_id(), event.manager_id);
    let letter = async {
        if app.clock.now() >= event.until {
            return Err(NotDone::Overtaken);
        }
        let managed = app.bus.ask(Caller::Service, &GetReach { manager }).await.map_err(|failure| {
            // `Code::Invalid` means that the manager has more employees than a request may name.
            // Such a manager gets no digest. With `NotDone::Unminted`, the event would become a
            // dead message.
            if failure.code == Code::Invalid { NotDone::Overtaken } else { NotDone::Unminted(failure) }
        })?;
        // Managers do not decide about their own hours, so these are not counted.
        let employees = managed.employees.into_iter().filter(|employee| *employee != manager).collect();
        let waiting = app.bus.ask(Caller::Service, &CountWaiting { employees }).await.map_err(NotDone::Unminted)?;
        about_time(&app, manager, id, |name| digest_mail(name, waiting, &app.public_url)).await
    };
    send_once(&app, &delivery, id, letter, |_, _| None).await
}
