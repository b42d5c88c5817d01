use bson::doc;
use contracts::{EmployeeId, MemberChanged, ProjectId};
use kit::{Database, Error, Shape, Tx};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// An edge between a project and an employee, as far as it is known here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    /// `<project>_<employee>`.
    #[serde(rename = "_id")]
    id: String,
    employee: EmployeeId,
    project: ProjectId,
    version: i64,
    is_on: bool,
}

/// The versions of the edges that the employees' lists of projects are made of.
#[derive(Clone, Debug)]
pub(crate) struct Memberships(Collection<Stored>);

impl Memberships {
    pub(super) fn shape() -> Shape {
        ("memberships", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("memberships"))
    }

    /// Takes an edge in, unless a version as new is known. Says whether it was taken.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, edge: &MemberChanged) -> Result<bool, Error> {
        let id = format!("{}_{}", edge.project_id, edge.employee_id);
        let known = self.0.find_one(doc! { "_id": &id }).session(&mut tx.session).await?;
        if known.is_some_and(|known| known.version >= edge.version) {
            return Ok(false);
        }
        let stored = Stored {
            id: id.clone(),
            employee: edge.employee_id,
            project: edge.project_id,
            version: edge.version,
            is_on: edge.is_on(),
        };
        self.0.replace_one(doc! { "_id": id }, stored).upsert(true).session(&mut tx.session).await?;
        Ok(true)
    }
}
