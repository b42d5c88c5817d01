use std::{pin::pin, time::Duration};

use contracts::{
    Awaited, Caller, DeliveryChanged, DeliveryState, EmployeeId, Failure, GetMailAddress, InvitationDelivery, MailId,
    Millis, Name,
};
use kit::{Delivery, Error};
use tokio::time::{sleep, timeout};

use crate::{
    App,
    domain::{Cause, Mail, retry_after},
    outgoing::{Letter, NotSent},
    store::{Claim, Outcome},
};

/// When to try again a mail that another process is sending.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How often the claim on a mail is extended while it is sent, because a mail server may take minutes.
const STILL: Duration = Duration::from_secs(10);
/// The pauses between two attempts to store the outcome of a mail grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Why a mail was not sent.
pub(super) enum NotDone {
    /// It is no longer needed: it was replaced, used or withdrawn, or has no recipient or content.
    Overtaken,
    /// Directory did not give the content of the mail.
    Unminted(Failure),
    /// Sending failed.
    Unsent(NotSent),
}

/// Sends a mail once: the process that claims it sends it. `told` makes an event of its delivery, if directory
/// must know.
///
/// If an SMTP server is away, slow or refuses us, the event is redelivered with a growing delay, for as long as that
/// takes. If MongoDB is away, the claim is kept until the outcome is stored. After a crash between sending and
/// storing, the mail is sent again, with the same message id; both links work.
pub(super) async fn send_once(
    app: &App,
    delivery: &Delivery,
    id: MailId,
    letter: impl Future<Output = Result<Letter, NotDone>>,
    told: impl Fn(i64, InvitationDelivery) -> Option<DeliveryChanged>,
) -> Result<Vec<Awaited>, Error> {
    let Ok(_place) = app.places.acquire().await else { return Err(anyhow::anyhow!("no places to send from").into()) };
    let attempts = match app.deliveries.claim(id, app.clock.now()).await? {
        Claim::Ours(attempts) => attempts,
        Claim::Others => return Err(later(LOOK_AGAIN, "Somebody else is at this mail.")),
        Claim::Settled => return Ok(Vec::new()),
    };
    let sending = async {
        let letter = letter.await?;
        app.outgoing.send(&letter, app.clock.now()).await.map_err(NotDone::Unsent)
    };
    let done = holding(app, id, sending).await;
    let outcome = match &done {
        Ok(()) => Outcome::Sent,
        Err(NotDone::Unsent(NotSent { cause: Cause::Recipient, why })) => Outcome::Failed(why),
        Err(NotDone::Unsent(NotSent { cause: Cause::Ours, why })) => Outcome::Refused(why),
        Err(NotDone::Unsent(NotSent { cause: Cause::Passing, why })) => Outcome::Pending(why),
        Err(NotDone::Overtaken) => Outcome::Unneeded,
        Err(NotDone::Unminted(_)) => Outcome::Untried,
    };
    app.metrics.attempted(outcome);
    let (now, (mut pause, longest)) = (app.clock.now(), PAUSES);
    let caused = loop {
        let settled = kit::follow!(app.db.following(delivery), tx => {
            let version = app.deliveries.settle(tx, id, outcome, now).await?;
            let news = version.zip(shown(outcome, now)).and_then(|(version, shown)| told(version, shown));
            if let Some(changed) = news {
                tx.emit(&changed).await?;
                // The delivery is no change by an actor. The audit trail has the change that caused the mail.
                tx.is_audited_elsewhere();
            }
            Ok(())
        });
        match settled {
            // If the event were redelivered now, the mail would be sent again.
            Err(error) if error.is_away() => {
                tracing::warn!(mail = %id, %error, "what became of a mail is not written down yet");
                sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            settled => break settled?,
        }
    };
    match done {
        Ok(()) => tracing::info!(mail = %id, "a mail is sent"),
        Err(NotDone::Unsent(NotSent { cause: Cause::Recipient, why })) => {
            tracing::error!(mail = %id, why, "a mail cannot be sent");
        }
        Err(NotDone::Unsent(NotSent { cause, why })) => {
            if cause == Cause::Ours {
                tracing::error!(mail = %id, why, "the mail server refuses us");
            }
            return Err(later(retry_after(attempts + 1, cause), &why));
        }
        Err(NotDone::Overtaken) => tracing::info!(mail = %id, "a mail need not be sent any more"),
        Err(NotDone::Unminted(failure)) => return Err(failure.into()),
    }
    Ok(caused)
}

/// Works on a mail, and extends the claim on it meanwhile.
async fn holding<T>(app: &App, id: MailId, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Ok(done) = timeout(STILL, &mut work).await {
            return done;
        }
        if let Err(error) = app.deliveries.hold(id, app.clock.now()).await {
            tracing::warn!(mail = %id, %error, "others may take this mail for free");
        }
    }
}

/// Sends a mail about an employee's time. None is sent if they have no reachable address, or `write` has nothing
/// to say.
pub(super) async fn about_time(
    app: &App,
    employee_id: EmployeeId,
    id: MailId,
    write: impl FnOnce(&Name) -> Option<Mail>,
) -> Result<Letter, NotDone> {
    let address = app.bus.ask(Caller::Service, &GetMailAddress { employee_id }).await.map_err(NotDone::Unminted)?;
    let to = address.ok_or(NotDone::Overtaken)?;
    let mail = write(&to.name).ok_or(NotDone::Overtaken)?;
    Letter::compose(&app.sender, (&to.name, &to.email), id, mail, app.clock.now()).map_err(NotDone::Unsent)
}

/// The delivery as admins see it.
fn shown(outcome: Outcome<'_>, at: Millis) -> Option<InvitationDelivery> {
    let (state, detail) = match outcome {
        Outcome::Sent => (DeliveryState::Sent, None),
        Outcome::Failed(why) => (DeliveryState::Failed, Some(why.to_owned())),
        Outcome::Pending(why) | Outcome::Refused(why) => (DeliveryState::Retrying, Some(why.to_owned())),
        Outcome::Unneeded | Outcome::Untried => return None,
    };
    Some(InvitationDelivery { state, detail, at })
}

fn later(after: Duration, why: &str) -> Error {
    Error::Later { after, source: anyhow::anyhow!("{why}") }
}
