use std::collections::BTreeMap;

use bson::{Bson, doc};
use contracts::{Actor, KeyId, Millis, Name, Role, Scopes};
use futures::TryStreamExt;
use kit::{
    Database, Error, Shape, Tx,
    mongo::{one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::domain::ApiKey;

/// An API key as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    id: KeyId,
    version: i64,
    name: Name,
    hash: String,
    role: Option<Role>,
    scopes: Option<Scopes>,
    created_at: Millis,
    expires_at: Option<Millis>,
    created_by: Option<Actor>,
    last_used_on: Option<String>,
    revoked_at: Option<Millis>,
}

/// The API keys, revoked ones included.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeys(Collection<Stored>);

impl ApiKeys {
    pub(super) fn shape() -> Shape {
        ("api_keys", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("api_keys"))
    }

    pub(crate) async fn get(&self, id: KeyId) -> Result<Option<ApiKey>, Error> {
        Ok(self.0.find_one(doc! { "_id": value(&id) }).await?.map(Into::into))
    }

    /// The keys that are not revoked, oldest first.
    pub(crate) async fn list(&self) -> Result<Vec<ApiKey>, Error> {
        let cursor = self.0.find(doc! { "revokedAt": Bson::Null }).sort(doc! { "_id": 1 }).await?;
        Ok(cursor.map_ok(Into::into).try_collect().await?)
    }

    /// All keys, revoked ones included.
    pub(crate) async fn all(&self) -> Result<Vec<ApiKey>, Error> {
        Ok(self.0.find(doc! {}).await?.map_ok(Into::into).try_collect().await?)
    }

    /// The names of these keys. Unknown ids are left out.
    pub(crate) async fn names(&self, ids: Vec<KeyId>) -> Result<BTreeMap<KeyId, Name>, Error> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(rename = "_id")]
            id: KeyId,
            name: Name,
        }
        let named = self.0.clone_with_type::<Named>();
        let found = named.find(doc! { "_id": one_of(ids) }).projection(doc! { "name": 1 }).await?;
        Ok(found.map_ok(|Named { id, name }| (id, name)).try_collect().await?)
    }

    /// Loads a key in this transaction, in order to change it.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, id: KeyId) -> Result<Option<ApiKey>, Error> {
        Ok(self.0.find_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?.map(Into::into))
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), Error> {
        self.0.insert_one(Stored::from(key.clone())).session(&mut tx.session).await?;
        Ok(())
    }

    pub(crate) async fn save(&self, tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), Error> {
        let stored = Stored::from(key.clone());
        self.0.replace_one(doc! { "_id": value(&key.id) }, stored).session(&mut tx.session).await?;
        Ok(())
    }

    /// Records the day of a use, and returns whether this is the first use. A day before the stored
    /// one changes nothing.
    pub(crate) async fn mark_used(&self, tx: &mut Tx<'_>, id: KeyId, day: &str) -> Result<bool, Error> {
        let latest = doc! { "$max": { "lastUsedOn": day } };
        let before = self.0.find_one_and_update(doc! { "_id": value(&id) }, latest).session(&mut tx.session).await?;
        Ok(before.is_some_and(|key| key.last_used_on.is_none()))
    }
}

impl From<ApiKey> for Stored {
    fn from(key: ApiKey) -> Self {
        let ApiKey {
            id,
            version,
            name,
            hash,
            role,
            scopes,
            created_at,
            expires_at,
            created_by,
            last_used_on,
            revoked_at,
        } = key;
        Self { id, version, name, hash, role, scopes, created_at, expires_at, created_by, last_used_on, revoked_at }
    }
}

impl From<Stored> for ApiKey {
    fn from(stored: Stored) -> Self {
        let Stored {
            id,
            version,
            name,
            hash,
            role,
            scopes,
            created_at,
            expires_at,
            created_by,
            last_used_on,
            revoked_at,
        } = stored;
        Self { id, version, name, hash, role, scopes, created_at, expires_at, created_by, last_used_on, revoked_at }
    }
}
