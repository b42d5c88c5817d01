use bson::{DateTime, doc};
use contracts::{Millis, Secret};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{date, expiring, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::{MailBound, TokenHash};

/// The times of the mails with a link to one address within the last hour, as they are stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    /// The hash of the address, which need not belong to an employee.
    #[serde(rename = "_id")]
    address: TokenHash,
    at: Vec<Millis>,
    /// When MongoDB removes the record.
    remove_at: DateTime,
}

/// The collection of the times at which mails with a link were sent, one document for each address.
/// It limits how many such mails an address gets per hour. Only a hash of the address is stored.
#[derive(Clone, Debug)]
pub(crate) struct MailBounds(Collection<Stored>);

impl MailBounds {
    pub(super) fn shape() -> Shape {
        ("mail_bounds", vec![expiring("removeAt")])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("mail_bounds"))
    }

    /// Counts a mail with a link to a normalised address if the mail may be sent, and returns
    /// whether it may be sent. Concurrent calls for the same address conflict, so that one of the
    /// transactions runs again.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, address: &str, now: Millis) -> Result<bool, Error> {
        let address = TokenHash::of(&Secret::new(address));
        let by_address = doc! { "_id": value(&address) };
        let known = self.0.find_one(by_address.clone()).session(&mut tx.session).await?;
        let mut bound = MailBound(known.map(|stored| stored.at).unwrap_or_default());
        let may = bound.take(now);
        let stored = Stored { address, remove_at: date(bound.over_at()), at: bound.0 };
        self.0.replace_one(by_address, stored).upsert(true).session(&mut tx.session).await?;
        Ok(may)
    }
}
