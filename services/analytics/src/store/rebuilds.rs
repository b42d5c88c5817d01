use bson::doc;
use contracts::{EmployeeId, WindowId};
use kit::{Database, Error, Shape};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// How far a rebuild is; everything before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Facts are taken over from timetrack, so many until now, up to this one.
    Facts { windows: u64, after: Option<WindowId> },
    /// The months of employees are recomputed, up to those of this one.
    Employees { after: Option<EmployeeId> },
    /// The months of all together are.
    Company,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: Only,
    stage: Stage,
}

/// There is one rebuild at a time; a second one does what the first has done again, which is
/// harmless.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Only {
    Rebuild,
}

/// Where a rebuild that was stopped goes on.
#[derive(Debug)]
pub(crate) struct Rebuilds {
    rows: Collection<Row>,
}

impl Rebuilds {
    pub(super) fn shape() -> Shape {
        ("rebuilds", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { rows: db.collection("rebuilds") }
    }

    /// Where the one goes on that did not come to its end.
    pub(crate) async fn stage(&self) -> Result<Option<Stage>, Error> {
        Ok(self.rows.find_one(doc! { "_id": "rebuild" }).await?.map(|row| row.stage))
    }

    /// It is this far.
    pub(crate) async fn reached(&self, stage: Stage) -> Result<(), Error> {
        let row = Row { id: Only::Rebuild, stage };
        self.rows.replace_one(doc! { "_id": "rebuild" }, &row).upsert(true).await?;
        Ok(())
    }

    /// It has come to its end.
    pub(crate) async fn ended(&self) -> Result<(), Error> {
        self.rows.delete_one(doc! { "_id": "rebuild" }).await?;
        Ok(())
    }
}
