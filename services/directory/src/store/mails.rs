use bson::{Bson, DateTime, Document, doc};
use contracts::{DAY, EmployeeId, MailId, Millis};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{date, expiring, index, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::{About, Mail, MintedHash, Recipient, TokenHash};

/// How long a mail is kept after its request, in milliseconds, so that the service can tell why an
/// old link does not work.
const KEPT: i64 = 30 * DAY;

/// A mail as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    id: MailId,
    about: About,
    to: Option<Recipient>,
    requested_at: Millis,
    tokens: Vec<MintedHash>,
    closed_at: Option<Millis>,
    /// When MongoDB removes the mail.
    remove_at: DateTime,
}

/// The mails to employees, except invitations.
#[derive(Clone, Debug)]
pub(crate) struct Mails(Collection<Stored>);

impl Mails {
    pub(super) fn shape() -> Shape {
        let indexes = [index(doc! { "tokens.hash": 1 }), index(doc! { "to.employee": 1 }), expiring("removeAt")];
        ("mails", indexes.into())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("mails"))
    }

    pub(crate) async fn with_token(&self, token: &TokenHash) -> Result<Option<Mail>, Error> {
        Ok(self.0.find_one(doc! { "tokens.hash": value(token) }).await?.map(Into::into))
    }

    /// Loads a mail in this transaction, in order to change it.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: MailId) -> Result<Option<Mail>, Error> {
        Ok(self.0.find_one(by_id(id)).session(&mut tx.session).await?.map(Into::into))
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, mail: Mail) -> Result<(), Error> {
        self.0.insert_one(Stored::from(mail)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores a changed mail. If another transaction changes it at the same time, one of the two
    /// runs again.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, mail: Mail) -> Result<(), Error> {
        self.0.replace_one(by_id(mail.id), Stored::from(mail)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Closes all mails of an employee, so that their links stop working.
    pub(crate) async fn close(&self, tx: &mut Tx<'_>, employee: EmployeeId, now: Millis) -> Result<(), Error> {
        let open = doc! { "to.employee": value(&employee), "closedAt": Bson::Null };
        let closed = doc! { "$set": { "closedAt": value(&now) } };
        self.0.update_many(open, closed).session(&mut tx.session).await?;
        Ok(())
    }
}

fn by_id(id: MailId) -> Document {
    doc! { "_id": value(&id) }
}

impl From<Mail> for Stored {
    fn from(mail: Mail) -> Self {
        Self {
            id: mail.id,
            about: mail.about,
            to: mail.to,
            requested_at: mail.requested_at,
            tokens: mail.tokens,
            closed_at: mail.closed_at,
            remove_at: date(mail.requested_at + KEPT),
        }
    }
}

impl From<Stored> for Mail {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            about: stored.about,
            to: stored.to,
            requested_at: stored.requested_at,
            tokens: stored.tokens,
            closed_at: stored.closed_at,
        }
    }
}
