use std::collections::{BTreeSet, HashMap};

use bson::{Document, doc};
use contracts::{EmployeeId, MemberChanged, MemberKey, ProjectId};
use futures::TryStreamExt;
use kit::{Database, Error, Shape, Tx, mongo::value};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The copy of an edge between a project and an employee, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    /// The ids of the project and the employee: `<project>_<employee>`.
    #[serde(rename = "_id")]
    id: String,
    employee: EmployeeId,
    project: ProjectId,
    version: i64,
    is_on: bool,
}

/// The version of a stored edge, and whether the employee is on the project.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) version: i64,
    is_on: bool,
}

impl Known {
    /// Whether the owner's edge is newer than this one, or has the same version and another state.
    pub(crate) fn is_outdated_by(self, edge: &MemberChanged) -> bool {
        self.version < edge.version || self.version == edge.version && self.is_on != edge.is_on()
    }
}

impl Stored {
    fn known(&self) -> Known {
        Known { version: self.version, is_on: self.is_on }
    }
}

fn key(project: ProjectId, employee: EmployeeId) -> String {
    format!("{project}_{employee}")
}

/// The copies of the edges, from which the employees' lists of projects are made.
#[derive(Clone, Debug)]
pub(crate) struct Memberships(Collection<Stored>);

impl Memberships {
    pub(super) fn shape() -> Shape {
        ("memberships", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("memberships"))
    }

    /// Stores an edge unless the stored one has the same or a newer version. Returns whether it was
    /// stored.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, edge: &MemberChanged) -> Result<bool, Error> {
        let id = format!("{}_{}", edge.project_id, edge.employee_id);
        let known = self.0.find_one(doc! { "_id": &id }).session(&mut tx.session).await?;
        if known.is_some_and(|known| known.version >= edge.version) {
            return Ok(false);
        }
        self.put(tx, id, edge).await?;
        Ok(true)
    }

    async fn put(&self, tx: &mut Tx<'_>, id: String, edge: &MemberChanged) -> Result<(), Error> {
        let stored = Stored {
            id: id.clone(),
            employee: edge.employee_id,
            project: edge.project_id,
            version: edge.version,
            is_on: edge.is_on(),
        };
        self.0.replace_one(doc! { "_id": id }, stored).upsert(true).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores an edge if the stored one is missing, older, or of the same version with another
    /// state. Returns whether it was stored.
    pub(crate) async fn heal(&self, tx: &mut Tx<'_>, edge: &MemberChanged) -> Result<bool, Error> {
        let id = key(edge.project_id, edge.employee_id);
        let known = self.0.find_one(doc! { "_id": &id }).session(&mut tx.session).await?;
        if known.is_some_and(|stored| !stored.known().is_outdated_by(edge)) {
            return Ok(false);
        }
        self.put(tx, id, edge).await?;
        Ok(true)
    }

    /// The edges with keys above `after` (or from the first one) up to `upto` (or to the last one).
    pub(crate) async fn between(
        &self,
        after: Option<MemberKey>,
        upto: Option<MemberKey>,
    ) -> Result<HashMap<MemberKey, Known>, Error> {
        let mut range = Document::new();
        range.extend(after.map(|at| ("$gt".to_owned(), key(at.project, at.employee).into())));
        range.extend(upto.map(|at| ("$lte".to_owned(), key(at.project, at.employee).into())));
        let filter = if range.is_empty() {
            doc! {}
        } else {
            doc! { "_id": range }
        };
        let found = self.0.find(filter).await?;
        let edges = found.map_ok(|edge| (MemberKey { project: edge.project, employee: edge.employee }, edge.known()));
        Ok(edges.try_collect().await?)
    }

    /// Deletes an edge if it still has this version. Returns whether it was deleted.
    pub(crate) async fn forget(&self, tx: &mut Tx<'_>, edge: MemberKey, version: i64) -> Result<bool, Error> {
        let this = doc! { "_id": key(edge.project, edge.employee), "version": version };
        Ok(self.0.delete_one(this).session(&mut tx.session).await?.deleted_count > 0)
    }

    /// The projects of each employee, according to the edges.
    pub(crate) async fn lists(&self) -> Result<HashMap<EmployeeId, BTreeSet<ProjectId>>, Error> {
        let mut lists = HashMap::<_, BTreeSet<_>>::new();
        let mut found = self.0.find(doc! { "isOn": true }).await?;
        while let Some(edge) = found.try_next().await? {
            lists.entry(edge.employee).or_default().insert(edge.project);
        }
        Ok(lists)
    }

    /// The projects of one employee, according to the edges.
    pub(crate) async fn list_of(&self, tx: &mut Tx<'_>, id: EmployeeId) -> Result<BTreeSet<ProjectId>, Error> {
        let on = doc! { "employee": value(&id), "isOn": true };
        let mut found = self.0.find(on).session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).map_ok(|edge| edge.project).try_collect().await?)
    }
}
