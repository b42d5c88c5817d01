use bson::doc;
use contracts::{EmployeeId, WindowId};
use kit::{Database, Error, Shape};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The stage of a rebuild; everything before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Facts are read from timetrack: this many so far, up to this one.
    Facts { windows: u64, after: Option<WindowId> },
    /// The months of employees are recomputed, up to this one.
    Employees { after: Option<EmployeeId> },
    /// The months of the company are recomputed.
    Company,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: Only,
    stage: Stage,
}

/// There is one rebuild at a time. A second one only repeats steps of the first, which is harmless.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Only {
    Rebuild,
}

/// Where an interrupted rebuild continues.
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

    /// The stage of an interrupted rebuild, if there is one.
    pub(crate) async fn stage(&self) -> Result<Option<Stage>, Error> {
        Ok(self.rows.find_one(doc! { "_id": "rebuild" }).await?.map(|row| row.stage))
    }

    /// Stores the stage.
    pub(crate) async fn reached(&self, stage: Stage) -> Result<(), Error> {
        let row = Row { id: Only::Rebuild, stage };
        self.rows.replace_one(doc! { "_id": "rebuild" }, &row).upsert(true).await?;
        Ok(())
    }

    /// Removes the stage: the rebuild is done.
    pub(crate) async fn ended(&self) -> Result<(), Error> {
        self.rows.delete_one(doc! { "_id": "rebuild" }).await?;
        Ok(())
    }
}
