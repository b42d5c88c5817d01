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

/// The delay after which an event is redelivered if another process is sending its mail now.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The interval at which the claim on a mail is extended while the mail is sent. A mail server may
/// take minutes.
const STILL: Duration = Duration::from_secs(10);
/// The first and the longest pause between two attempts to store the outcome of a mail. The pause
/// doubles each time.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Why a mail was not sent.
pub(super) enum NotDone {
    /// The mail is no longer needed: it was replaced, used or withdrawn, is too late, or has no
    /// recipient or content.
    Overtaken,
    /// A request to another service for the content or the address of the mail failed.
    Unminted(Failure),
    /// The mail could not be delivered to the mail server or the folder.
    Unsent(NotSent),
}

/// Sends a mail once: only the process that has claimed the mail sends it. `told` makes the event
/// that reports the delivery to directory, or returns `None` if directory does not need one.
///
/// If the SMTP server is unreachable or slow, or refuses all our mails, the event is redelivered
/// with a growing delay until the mail is sent. If MongoDB is unreachable, the claim is kept until
/// the outcome is stored. After a crash between sending and storing, the mail is sent again with
/// the same message id, and the links in both copies work.
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
                // The audit trail gets no entry here: it has the change that caused the mail, and
                // the delivery is no change by an actor.
                tx.is_audited_elsewhere();
            }
            Ok(())
        });
        match settled {
            // MongoDB is unreachable, so storing the outcome is retried here. If the handler failed
            // instead, the event would be redelivered and the mail sent again.
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

/// Runs `work` on a mail, and extends the claim on the mail until `work` ends.
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

/// Composes a mail about an employee's time. Returns [`NotDone::Overtaken`] if the employee has no
/// address to send to, or if `write` returns `None`.
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

/// Returns the state of the delivery that admins see, or `None` if the outcome does not change it.
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
