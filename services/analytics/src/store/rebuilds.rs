use bson::doc;
use contracts::{EmployeeId, WindowId};
use kit::{Database, Error, Shape};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// The stage of a rebuild. All earlier stages are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Facts are read from timetrack: `windows` so far, up to the window `after`.
    Facts { windows: u64, after: Option<WindowId> },
    /// The sums of single employees are recomputed: done up to the employee `after`.
    Employees { after: Option<EmployeeId> },
    /// The sums of all employees together are recomputed.
    Company,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "_id")]
    id: Only,
    stage: Stage,
}

/// The `_id` of the only document: at most one rebuild is stored. A second rebuild at the same time
/// only repeats steps of the first one, which is harmless.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Only {
    Rebuild,
}

/// The collection with the stage at which an interrupted rebuild continues.
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

    /// The stage of the rebuild that has not ended; none if there is no such rebuild.
    pub(crate) async fn stage(&self) -> Result<Option<Stage>, Error> {
        Ok(self.rows.find_one(doc! { "_id": "rebuild" }).await?.map(|row| row.stage))
    }

    /// Stores the stage that the rebuild has reached.
    pub(crate) async fn reached(&self, stage: Stage) -> Result<(), Error> {
        let row = Row { id: Only::Rebuild, stage };
        self.rows.replace_one(doc! { "_id": "rebuild" }, &row).upsert(true).await?;
        Ok(())
    }

    /// Removes the stage, because the rebuild is done.
    pub(crate) async fn ended(&self) -> Result<(), Error> {
        self.rows.delete_one(doc! { "_id": "rebuild" }).await?;
        Ok(())
    }
}
