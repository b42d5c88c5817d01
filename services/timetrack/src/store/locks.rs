use bson::doc;
use contracts::{Lock, Millis, ProjectId, SettledTime, SettlementChanged};
use futures::TryStreamExt;
use kit::{Database, Error, Shape, Tx};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The document of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredLock {
    /// `all` or the project's id. Events and audit entries use the same id.
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) project: Option<ProjectId>,
    pub(crate) until: Option<Millis>,
    pub(crate) version: i64,
    pub(crate) changed_by: Option<String>,
    pub(crate) changed_at: Millis,
}

impl StoredLock {
    /// A lock that settles nothing, as if none were stored.
    pub(crate) fn none(project: Option<ProjectId>) -> Self {
        let id = project.map_or_else(|| "all".to_owned(), |project| project.to_string());
        Self { id, project, until: None, version: 0, changed_by: None, changed_at: Millis(0) }
    }

    /// The settlement that workers read.
    pub(crate) fn settlement(&self) -> SettlementChanged {
        let time = |end| SettledTime { employee_id: None, project_id: self.project, start: None, end };
        SettlementChanged { id: self.id.clone(), version: self.version, settles: self.until.map(time) }
    }

    /// The lock as the API returns it.
    pub(crate) fn shown(self) -> Lock {
        Lock {
            project_id: self.project,
            locked_until: self.until,
            changed_by: self.changed_by,
            changed_at: self.changed_at,
        }
    }
}

/// The collection of locks: one document for the organisation, and one for each project with a
/// lock.
#[derive(Clone, Debug)]
pub(crate) struct LockStore(Collection<StoredLock>);

impl LockStore {
    pub(super) fn shape() -> Shape {
        ("locks", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("locks"))
    }

    /// All locks.
    pub(crate) async fn all(&self) -> Result<Vec<StoredLock>, Error> {
        Ok(self.0.find(doc! {}).sort(doc! { "_id": 1 }).await?.try_collect().await?)
    }

    /// All locks, read in a transaction.
    pub(super) async fn all_in(&self, tx: &mut Tx<'_>) -> Result<Vec<StoredLock>, Error> {
        let mut found = self.0.find(doc! {}).session(&mut tx.session).await?;
        let mut all = Vec::new();
        while let Some(lock) = found.next(&mut tx.session).await {
            all.push(lock?);
        }
        Ok(all)
    }

    /// Finds a lock, in a transaction. If none is stored, it is a lock that settles nothing.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, project: Option<ProjectId>) -> Result<StoredLock, Error> {
        let none = StoredLock::none(project);
        let found = self.0.find_one(doc! { "_id": &none.id }).session(&mut tx.session).await?;
        Ok(found.unwrap_or(none))
    }

    /// Stores a lock.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, lock: &StoredLock) -> Result<(), Error> {
        self.0.replace_one(doc! { "_id": &lock.id }, lock).upsert(true).session(&mut tx.session).await?;
        Ok(())
    }
}
