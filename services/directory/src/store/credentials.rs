use bson::doc;
use contracts::{EmployeeId, Millis};
use kit::{Database, Error, Shape, Tx, mongo};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::hasher::HashedPassword;

/// The hash of an employee's password, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(rename = "_id")]
    employee: EmployeeId,
    password: HashedPassword,
    set_at: Millis,
}

/// The hashes of the passwords. They have their own collection, so that reading an employee never
/// reads a hash.
#[derive(Clone, Debug)]
pub(crate) struct Credentials(Collection<Stored>);

impl Credentials {
    pub(super) fn shape() -> Shape {
        ("credentials", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("credentials"))
    }

    pub(crate) async fn password(&self, employee: EmployeeId) -> Result<Option<HashedPassword>, Error> {
        let found = self.0.find_one(doc! { "_id": mongo::value(&employee) }).await?;
        Ok(found.map(|stored| stored.password))
    }

    pub(crate) async fn insert(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        password: HashedPassword,
        now: Millis,
    ) -> Result<(), Error> {
        self.0.insert_one(Stored { employee, password, set_at: now }).session(&mut tx.session).await?;
        Ok(())
    }

    /// Replaces the hash of the password.
    pub(crate) async fn set(
        &self,
        tx: &mut Tx<'_>,
        employee: EmployeeId,
        password: HashedPassword,
        now: Millis,
    ) -> Result<(), Error> {
        let stored = Stored { employee, password, set_at: now };
        self.0.replace_one(doc! { "_id": mongo::value(&employee) }, stored).session(&mut tx.session).await?;
        Ok(())
    }

    /// Reads the hash of the password in this transaction.
    pub(crate) async fn load(&self, tx: &mut Tx<'_>, employee: EmployeeId) -> Result<Option<HashedPassword>, Error> {
        let found = self.0.find_one(doc! { "_id": mongo::value(&employee) }).session(&mut tx.session).await?;
        Ok(found.map(|stored| stored.password))
    }

    /// Replaces the hash with a new hash of the same password, unless the password was changed in
    /// the meantime.
    pub(crate) async fn replace(
        &self,
        employee: EmployeeId,
        old: &HashedPassword,
        new: HashedPassword,
    ) -> Result<(), Error> {
        let unchanged = doc! { "_id": mongo::value(&employee), "password": mongo::value(old) };
        let set = doc! { "$set": { "password": mongo::value(&new) } };
        self.0.update_one(unchanged, set).await?;
        Ok(())
    }
}
