use std::collections::HashMap;

use bson::doc;
use contracts::{EmployeeId, EmployeeState, Millis, Term};
use futures::{StreamExt, TryStreamExt, stream};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{one_of, replace_if_newer, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

/// How many states are stored at the same time.
const AT_ONCE: usize = 16;

/// The last known state of an employee, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: EmployeeId,
    version: i64,
    epoch: i64,
    deactivated_at: Option<Millis>,
    /// The intervals in which the employee was active; None if directory has not sent them.
    #[serde(default)]
    active: Option<Vec<Term>>,
    /// A counter that is only changed to make transactions conflict: see [`EmployeeRefs::touch`].
    touched: i64,
}

impl From<&EmployeeState> for Document {
    fn from(employee_state: &EmployeeState) -> Self {
        let EmployeeState { id, version, epoch, deactivated_at, active } = employee_state.clone();
        Self { id, version, epoch, deactivated_at, active, touched: 0 }
    }
}

impl From<Document> for EmployeeState {
    fn from(stored: Document) -> Self {
        let Document { id, version, epoch, deactivated_at, active, .. } = stored;
        Self { id, version, epoch, deactivated_at, active }
    }
}

/// This service's copies of the employees' states, which directory owns.
#[derive(Debug)]
pub(crate) struct EmployeeRefs(Collection<Document>);

impl EmployeeRefs {
    pub(super) fn shape() -> Shape {
        ("employee_refs", Vec::new())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("employee_refs"))
    }

    /// The last known state of an employee.
    pub(crate) async fn find(&self, employee: EmployeeId) -> Result<Option<EmployeeState>, Error> {
        Ok(self.0.find_one(doc! { "_id": value(&employee) }).await?.map(EmployeeState::from))
    }

    /// Stores those of these states that are newer than the known ones.
    pub(crate) async fn learn(&self, employee_states: &[EmployeeState]) -> Result<(), Error> {
        let known =
            self.0.find(doc! { "_id": one_of(employee_states.iter().map(|employee_state| employee_state.id)) }).await?;
        let known: HashMap<_, _> = known.map_ok(|stored| (stored.id, stored.version)).try_collect().await?;
        let news =
            employee_states.iter().filter(|news| known.get(&news.id).is_none_or(|version| *version < news.version));
        stream::iter(news.map(Document::from).map(Ok))
            .try_for_each_concurrent(AT_ONCE, async |news| {
                replace_if_newer(&self.0, value(&news.id), news.version, &news).await?;
                Ok(())
            })
            .await
    }

    /// The last known states of these employees.
    pub(crate) async fn of(
        &self,
        employees: impl IntoIterator<Item = EmployeeId>,
    ) -> Result<HashMap<EmployeeId, EmployeeState>, Error> {
        let found = self.0.find(doc! { "_id": one_of(employees) }).await?;
        Ok(found.map_ok(|stored| (stored.id, EmployeeState::from(stored))).try_collect().await?)
    }

    /// Stores a state unless the known one is newer. Returns whether the state was stored.
    pub(crate) async fn heal(&self, employee_state: &EmployeeState) -> Result<bool, Error> {
        let EmployeeState { version, epoch, .. } = employee_state;
        let set = doc! { "$set": {
            "version": version,
            "epoch": epoch,
            "deactivated_at": value(&employee_state.deactivated_at),
            "active": value(&employee_state.active),
        }, "$inc": { "touched": 1 } };
        let of = value(&employee_state.id);
        let not_newer = doc! { "_id": of.clone(), "version": { "$lte": version } };
        if self.0.update_one(not_newer, set).await?.modified_count > 0 {
            return Ok(true);
        }
        replace_if_newer(&self.0, of, *version, &Document::from(employee_state)).await
    }

    /// Returns the states of employees, and locks them: a transaction that writes one of these
    /// states at the same time conflicts. So a change of memberships and a deactivation happen one
    /// after the other.
    pub(crate) async fn touch(&self, tx: &mut Tx<'_>, employees: &[EmployeeId]) -> Result<Vec<EmployeeState>, Error> {
        let of = doc! { "_id": one_of(employees) };
        let by = i64::from(!kit::is_mutant("touch_changes_nothing"));
        self.0.update_many(of.clone(), doc! { "$inc": { "touched": by } }).session(&mut tx.session).await?;
        let mut found = self.0.find(of).session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).map(|stored| stored.map(EmployeeState::from)).try_collect().await?)
    }
}
