use bson::{Bson, doc};
use contracts::{MailId, Millis, SECOND};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

/// How long a claim on a mail lasts unless it is extended, in milliseconds. If a process crashes
/// while it sends a mail, another process may send the mail after this time.
const HOLD: i64 = 60 * SECOND;

/// The error that is stored for a mail that was not needed.
const UNNEEDED: &str = "Not needed any more: it was replaced, overtaken, used or withdrawn, or is for nobody.";

/// The status of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pending,
    Sent,
    Failed,
}

/// The document of a mail.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    /// The id of the mail; for an invitation, the id of the invitation.
    #[serde(rename = "_id")]
    id: MailId,
    status: Status,
    /// The number of attempts to send the mail.
    attempts: u32,
    /// The last error, without secrets.
    last_error: Option<String>,
    /// The moment at which the present claim ends.
    held_until: Millis,
    updated_at: Millis,
    /// The version of the delivery. Each change that is reported increases it.
    #[serde(default)]
    version: i64,
    /// Whether the mail waits because a mail server refuses all our mails.
    #[serde(default)]
    is_refused: bool,
}

/// The result of claiming a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The caller may send the mail now. This many attempts were made before.
    Ours(u32),
    /// Another process is sending the mail.
    Others,
    /// The mail was sent, or will never be sent.
    Settled,
}

/// The outcome of an attempt to send a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// The mail was sent.
    Sent,
    /// The mail can never be sent, for this reason.
    Failed(&'a str),
    /// The mail is not needed: it was replaced, used or withdrawn, or has no recipient.
    Unneeded,
    /// The mail was not sent yet, for this reason.
    Pending(&'a str),
    /// The mail was not sent yet, because a mail server refuses all our mails, for this reason.
    Refused(&'a str),
    /// The mail was not sent yet, and no attempt was made.
    Untried,
}

/// The collection of the deliveries of all mails. Claims in it prevent that two processes send the
/// same mail.
#[derive(Clone, Debug)]
pub(crate) struct Deliveries(Collection<Stored>);

impl Deliveries {
    pub(crate) fn shape() -> Shape {
        ("deliveries", vec![mongo::index(doc! { "status": 1 })])
    }

    pub(crate) fn open(db: &Database) -> Self {
        Self(db.collection("deliveries"))
    }

    /// Returns the number of mails that wait, and how many of these wait because a mail server
    /// refuses all our mails.
    pub(crate) async fn waiting(&self) -> Result<(u64, u64), Error> {
        let mut waiting = doc! { "status": mongo::value(&Status::Pending) };
        let all = self.0.count_documents(waiting.clone()).await?;
        waiting.insert("isRefused", true);
        Ok((all, self.0.count_documents(waiting).await?))
    }

    /// Claims a mail, unless it is sent, given up, or claimed by another process.
    pub(crate) async fn claim(&self, id: MailId, now: Millis) -> Result<Claim, Error> {
        let free = doc! {
            "_id": mongo::value(&id),
            "status": mongo::value(&Status::Pending),
            "heldUntil": { "$lte": mongo::value(&now) },
        };
        let ours = doc! {
            "$set": { "heldUntil": mongo::value(&(now + HOLD)), "updatedAt": mongo::value(&now) },
            "$setOnInsert": { "attempts": 0, "lastError": Bson::Null },
        };
        let claimed = self.0.find_one_and_update(free, ours).upsert(true).return_document(ReturnDocument::After).await;
        match claimed {
            Ok(claimed) => Ok(Claim::Ours(claimed.map_or(0, |stored| stored.attempts))),
            // The document of the mail exists but does not match the filter, so the upsert has
            // tried to insert a second one.
            Err(error) if mongo::is_duplicate(&error) => {
                let known = self.0.find_one(doc! { "_id": mongo::value(&id) }).await?;
                let is_pending = known.is_none_or(|stored| stored.status == Status::Pending);
                Ok(if is_pending { Claim::Others } else { Claim::Settled })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Extends the claim on a mail until [`HOLD`] after `now`.
    pub(crate) async fn hold(&self, id: MailId, now: Millis) -> Result<(), Error> {
        let pending = doc! { "_id": mongo::value(&id), "status": mongo::value(&Status::Pending) };
        self.0.update_one(pending, doc! { "$set": { "heldUntil": mongo::value(&(now + HOLD)) } }).await?;
        Ok(())
    }

    /// Stores the outcome of an attempt and ends the claim. Returns the new version of the delivery
    /// if the change must be reported, and `None` otherwise.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx<'_>,
        id: MailId,
        outcome: Outcome<'_>,
        now: Millis,
    ) -> Result<Option<i64>, Error> {
        let by_id = doc! { "_id": mongo::value(&id) };
        let Some(mut mail) = self.0.find_one(by_id.clone()).session(&mut tx.session).await? else { return Ok(None) };
        let before = (mail.status, mail.last_error.clone());
        (mail.held_until, mail.updated_at) = (now, now);
        mail.is_refused = matches!(outcome, Outcome::Refused(_));
        mail.attempts += u32::from(outcome != Outcome::Untried);
        let (status, error) = match outcome {
            Outcome::Sent => (Status::Sent, None),
            Outcome::Failed(why) => (Status::Failed, Some(why.to_owned())),
            Outcome::Unneeded => (Status::Failed, Some(UNNEEDED.to_owned())),
            Outcome::Pending(why) | Outcome::Refused(why) => (Status::Pending, Some(why.to_owned())),
            Outcome::Untried => (Status::Pending, mail.last_error.take()),
        };
        (mail.status, mail.last_error) = (status, error);
        let is_news = !matches!(outcome, Outcome::Unneeded | Outcome::Untried)
            && before != (mail.status, mail.last_error.clone());
        mail.version += i64::from(is_news);
        let version = is_news.then_some(mail.version);
        self.0.replace_one(by_id, mail).session(&mut tx.session).await?;
        Ok(version)
    }
}
