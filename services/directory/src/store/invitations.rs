use bson::{Bson, Document, doc};
use contracts::{EmployeeId, InvitationId, Millis};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::{Invitation, MintedHash, TokenHash};

/// An invitation as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    id: InvitationId,
    employee: EmployeeId,
    requested_at: Millis,
    tokens: Vec<MintedHash>,
    used_at: Option<Millis>,
    closed_at: Option<Millis>,
}

/// The invitations, old ones included.
#[derive(Clone, Debug)]
pub(crate) struct Invitations(Collection<Stored>);

impl Invitations {
    pub(super) fn shape() -> Shape {
        ("invitations", vec![index(doc! { "tokens.hash": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("invitations"))
    }

    pub(crate) async fn with_token(&self, token: &TokenHash) -> Result<Option<Invitation>, Error> {
        Ok(self.0.find_one(doc! { "tokens.hash": value(token) }).await?.map(Into::into))
    }

    /// Loads an invitation in this transaction, in order to change it.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: InvitationId) -> Result<Option<Invitation>, Error> {
        Ok(self.0.find_one(by_id(id)).session(&mut tx.session).await?.map(Into::into))
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, invitation: Invitation) -> Result<(), Error> {
        self.0.insert_one(Stored::from(invitation)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores a changed invitation. If another transaction changes it at the same time, one of the
    /// two runs again.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, invitation: Invitation) -> Result<(), Error> {
        self.0.replace_one(by_id(invitation.id), Stored::from(invitation)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Closes an invitation that is still open.
    pub(crate) async fn close(&self, tx: &mut Tx<'_>, id: InvitationId, now: Millis) -> Result<(), Error> {
        let open = doc! { "_id": value(&id), "usedAt": Bson::Null, "closedAt": Bson::Null };
        let closed = doc! { "$set": { "closedAt": value(&now) } };
        self.0.update_one(open, closed).session(&mut tx.session).await?;
        Ok(())
    }
}

fn by_id(id: InvitationId) -> Document {
    doc! { "_id": value(&id) }
}

impl From<Invitation> for Stored {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            employee: invitation.employee,
            requested_at: invitation.requested_at,
            tokens: invitation.tokens,
            used_at: invitation.used_at,
            closed_at: invitation.closed_at,
        }
    }
}

impl From<Stored> for Invitation {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            employee: stored.employee,
            requested_at: stored.requested_at,
            tokens: stored.tokens,
            used_at: stored.used_at,
            closed_at: stored.closed_at,
        }
    }
}
