use bson::{Bson, Document, doc};
use contracts::EmployeeId;
use kit::{Database, Error, Shape, Tx, mongo::value};
use mongodb::Collection;

/// Whether there are owners beside somebody.
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

    /// Whether somebody else is an active owner. Two owners who are taken away at once write the
    /// same document, so that one of the two transactions runs again and sees what the other did.
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
