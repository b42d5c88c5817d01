use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bson::{Bson, DateTime, Document, doc};
use contracts::{EmployeeId, Label, Millis, SessionId};
use futures::TryStreamExt;
use kit::{
    Database, Error, Shape, Tx,
    mongo::{expiring, index, one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::{Refresh, Replaced, Session, TokenHash};

/// The most sessions in one list.
const MOST: i64 = 1_000;

/// A session as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    id: SessionId,
    employee: EmployeeId,
    epoch: i64,
    generation: i64,
    created_at: Millis,
    last_seen_at: Millis,
    agent: Option<Label>,
    address: Option<String>,
    expires_at: Millis,
    ended_at: Option<Millis>,
    token_seconds: i64,
    refresh: Option<StoredRefresh>,
    /// When MongoDB removes the session.
    forgotten_at: DateTime,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRefresh {
    family: TokenHash,
    current: TokenHash,
    previous: Option<StoredReplaced>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredReplaced {
    hash: TokenHash,
    at: Millis,
    salt: String,
}

/// The sessions. Ended sessions are kept as long as gateways must know of them.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(Collection<Stored>);

impl Sessions {
    pub(super) fn shape() -> Shape {
        let indexes =
            vec![index(doc! { "employee": 1, "_id": 1 }), index(doc! { "refresh.family": 1 }), expiring("forgottenAt")];
        ("sessions", indexes)
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("sessions"))
    }

    /// The sessions of an employee that were not ended, newest first.
    pub(crate) async fn list(&self, employee: EmployeeId) -> Result<Vec<Session>, Error> {
        let open = doc! { "employee": value(&employee), "endedAt": Bson::Null };
        let cursor = self.0.find(open).sort(doc! { "_id": -1 }).limit(MOST).await?;
        Ok(cursor.map_ok(Into::into).try_collect().await?)
    }

    /// The sessions that were ended before they expired, and that are still stored.
    pub(crate) async fn ended(&self) -> Result<Vec<Session>, Error> {
        let cursor = self.0.find(doc! { "endedAt": { "$ne": Bson::Null } }).await?;
        Ok(cursor.map_ok(Into::into).try_collect().await?)
    }

    /// Loads a session in this transaction, in order to change it.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: SessionId) -> Result<Option<Session>, Error> {
        Ok(self.0.find_one(by_id(id)).session(&mut tx.session).await?.map(Into::into))
    }

    /// Loads a session by the hash of the shared half of its refresh tokens.
    pub(crate) async fn load_family(&self, tx: &mut Tx<'_>, family: &TokenHash) -> Result<Option<Session>, Error> {
        let of_family = doc! { "refresh.family": value(family) };
        Ok(self.0.find_one(of_family).session(&mut tx.session).await?.map(Into::into))
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, session: &Session) -> Result<(), Error> {
        self.0.insert_one(Stored::from(session.clone())).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores a changed session. If another transaction changes it at the same time, one of the two
    /// runs again.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, session: &Session) -> Result<(), Error> {
        let stored = Stored::from(session.clone());
        self.0.replace_one(by_id(session.id), stored).session(&mut tx.session).await?;
        Ok(())
    }

    /// Ends all sessions of an employee except one.
    pub(crate) async fn end_all(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        except: Option<SessionId>,
        now: Millis,
    ) -> Result<(), Error> {
        let mut open = doc! { "employee": value(&employee), "endedAt": Bson::Null };
        if let Some(except) = except {
            open.insert("_id", doc! { "$ne": value(&except) });
        }
        let ended = doc! { "$set": { "endedAt": value(&now) } };
        self.0.update_many(open, ended).session(&mut tx.session).await?;
        Ok(())
    }

    /// Records when sessions were used. A time before the stored one changes nothing.
    pub(crate) async fn mark_seen(&self, ids: Vec<SessionId>, at: Millis) -> Result<(), Error> {
        self.0.update_many(doc! { "_id": one_of(ids) }, doc! { "$max": { "lastSeenAt": value(&at) } }).await?;
        Ok(())
    }
}

fn by_id(id: SessionId) -> Document {
    doc! { "_id": value(&id) }
}

impl From<Session> for Stored {
    fn from(session: Session) -> Self {
        let forgotten_at = DateTime::from_millis(session.forgotten_at().0);
        let replaced =
            |Replaced { hash, at, salt }| StoredReplaced { hash, at, salt: BASE64_URL_SAFE_NO_PAD.encode(salt) };
        let refresh =
            |Refresh { family, current, previous }| StoredRefresh { family, current, previous: previous.map(replaced) };
        Self {
            id: session.id,
            employee: session.employee,
            epoch: session.epoch,
            generation: session.generation,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            agent: session.agent,
            address: session.address,
            expires_at: session.expires_at,
            ended_at: session.ended_at,
            token_seconds: session.token_seconds,
            refresh: session.refresh.map(refresh),
            forgotten_at,
        }
    }
}

impl From<Stored> for Session {
    fn from(stored: Stored) -> Self {
        // A salt that cannot be decoded cannot reproduce a token, so the replaced token is treated
        // as not stored.
        let salt = |text: String| BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok();
        let replaced = |StoredReplaced { hash, at, salt: text }| Some(Replaced { hash, at, salt: salt(text)? });
        let refresh = |StoredRefresh { family, current, previous }| Refresh {
            family,
            current,
            previous: previous.and_then(replaced),
        };
        Self {
            id: stored.id,
            employee: stored.employee,
            epoch: stored.epoch,
            generation: stored.generation,
            created_at: stored.created_at,
            last_seen_at: stored.last_seen_at,
            agent: stored.agent,
            address: stored.address,
            expires_at: stored.expires_at,
            ended_at: stored.ended_at,
            token_seconds: stored.token_seconds,
            refresh: stored.refresh.map(refresh),
        }
    }
}
