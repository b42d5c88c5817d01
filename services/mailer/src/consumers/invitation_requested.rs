use std::{sync::Arc, time::Duration};

use contracts::{
    Awaited, Caller, DeliveryChanged, DeliveryState, Failure, InvitationDelivery, InvitationRequested, Millis,
    MintToken,
};
use kit::{Delivery, Error};

use crate::{
    App,
    domain::{Cause, InvitationMail, retry_after},
    outgoing::{Letter, NotSent},
    store::{Claim, Outcome},
};

/// When to look again at a mail that somebody else is at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Why an invitation is not mailed.
enum NotDone {
    /// It was replaced, used or withdrawn.
    NotNeeded,
    /// Directory gave no token.
    NoToken(Failure),
    /// The mail did not go out.
    NotSent(NotSent),
}

/// Mails an invitation, once: whoever claims it sends it, and what was sent is settled. Directory is
/// told how it goes, for admins to see.
///
/// An SMTP server that is away, slow or refuses us makes the event come again with a growing delay,
/// for as long as it takes. If we crash after the server took the mail and before that is
/// written down, the mail is sent once more, under the same message id; both links work.
pub(crate) async fn invitation_requested(
    app: Arc<App>,
    delivery: Delivery,
    event: InvitationRequested,
) -> Result<Vec<Awaited>, Error> {
    let Ok(_place) = app.places.acquire().await else { return Err(anyhow::anyhow!("no places to send from").into()) };
    let id = event.invitation_id;
    let attempts = match app.deliveries.claim(id, app.clock.now()).await? {
        Claim::Ours(attempts) => attempts,
        Claim::Others => return Err(later(LOOK_AGAIN, "Somebody else is at this mail.")),
        Claim::Settled => return Ok(Vec::new()),
    };
    let done = deliver(&app, event).await;
    let outcome = match &done {
        Ok(()) => Outcome::Sent,
        Err(NotDone::NotSent(NotSent { cause: Cause::Recipient, why })) => Outcome::Failed(why),
        Err(NotDone::NotSent(NotSent { cause: Cause::Ours, why })) => Outcome::Refused(why),
        Err(NotDone::NotSent(NotSent { cause: Cause::Passing, why })) => Outcome::Pending(why),
        Err(NotDone::NotNeeded) => Outcome::Unneeded,
        Err(NotDone::NoToken(_)) => Outcome::Untried,
    };
    app.metrics.attempted(outcome);
    let now = app.clock.now();
    let caused = kit::follow!(app.db.following(&delivery), tx => {
        let version = app.deliveries.settle(tx, id, outcome, now).await?;
        if let (Some(version), Some(delivery)) = (version, shown(outcome, now)) {
            let changed = DeliveryChanged { invitation_id: id, employee_id: event.employee_id, version, delivery };
            tx.emit(&changed).await?;
            // How a mail fares is nobody's change; the entry is that of the invitation.
            tx.is_audited_elsewhere();
        }
        Ok(())
    })?;
    match done {
        Ok(()) => tracing::info!(invitation = %id, employee = %event.employee_id, "an invitation is mailed"),
        Err(NotDone::NotSent(NotSent { cause: Cause::Recipient, why })) => {
            tracing::error!(invitation = %id, employee = %event.employee_id, why, "an invitation cannot be mailed");
        }
        Err(NotDone::NotSent(NotSent { cause, why })) => {
            if cause == Cause::Ours {
                tracing::error!(invitation = %id, employee = %event.employee_id, why, "the mail server refuses us");
            }
            return Err(later(retry_after(attempts + 1, cause), &why));
        }
        Err(NotDone::NotNeeded) => tracing::info!(invitation = %id, "an invitation need not be mailed any more"),
        Err(NotDone::NoToken(failure)) => return Err(failure.into()),
    }
    Ok(caused)
}

/// What admins see of it.
fn shown(outcome: Outcome<'_>, at: Millis) -> Option<InvitationDelivery> {
    let (state, detail) = match outcome {
        Outcome::Sent => (DeliveryState::Sent, None),
        Outcome::Failed(why) => (DeliveryState::Failed, Some(why.to_owned())),
        Outcome::Pending(why) | Outcome::Refused(why) => (DeliveryState::Retrying, Some(why.to_owned())),
        Outcome::Unneeded | Outcome::Untried => return None,
    };
    Some(InvitationDelivery { state, detail, at })
}

async fn deliver(app: &App, event: InvitationRequested) -> Result<(), NotDone> {
    let InvitationRequested { invitation_id, employee_id, .. } = event;
    let minted = app.bus.ask(Caller::Service, &MintToken { invitation_id, employee_id }).await;
    let minted = minted.map_err(NotDone::NoToken)?.ok_or(NotDone::NotNeeded)?;
    let now = app.clock.now();
    let mail = InvitationMail::write(&minted, &app.public_url, now);
    let letter = Letter::compose(&app.sender, &minted, invitation_id, mail, now).map_err(NotDone::NotSent)?;
    app.outgoing.send(&letter, now).await.map_err(NotDone::NotSent)
}

fn later(after: Duration, why: &str) -> Error {
    Error::Later { after, source: anyhow::anyhow!("{why}") }
}
