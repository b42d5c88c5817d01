use bson::{Bson, Document, doc};
use contracts::EmployeeId;
use kit::{Database, Error, Shape, Tx, mongo::value};
use mongodb::Collection;

/// The check that at least one active owner remains.
#[derive(Clone, Debug)]
pub(crate) struct Owners {
    employees: Collection<Document>,
    guard: Collection<Document>,
}

impl Owners {
    pub(super) fn shape() -> Shape {
        ("owners", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { employees: db.collection("employees"), guard: db.collection("owners") }
    }

    /// Whether another owner is active. Each call writes the same guard document. So when two
    /// transactions remove two owners at the same time, one of them runs again and sees the change
    /// of the other.
    pub(crate) async fn are_there_beside(&self, tx: &mut Tx<'_>, employee: EmployeeId) -> Result<bool, Error> {
        let one_more = doc! { "$inc": { "looks": 1_i64 } };
        self.guard.update_one(doc! { "_id": "guard" }, one_more).upsert(true).session(&mut tx.session).await?;
        let other = doc! {
            "role": "owner", "activatedAt": { "$ne": Bson::Null }, "deactivatedAt": Bson::Null,
            "_id": { "$ne": value(&employee) },
        };
        Ok(self.employees.find_one(other).session(&mut tx.session).await?.is_some())
    }
}
