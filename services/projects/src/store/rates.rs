use bson::doc;
use contracts::{
    DatedRate, EmployeeId, LineHistory, ListRates, Millis, Page, ProjectId, Rate, RateId, RateKind, RateScope,
    RateSince, RatesChanged, TaskId,
};
use futures::TryStreamExt;
use jiff::civil::Date;
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, one_of, unique, value},
};
use mongodb::{Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

use super::BATCH;

/// A rate as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: RateId,
    /// The scope as text, by which the rates of a scope are found.
    scope: String,
    project: Option<ProjectId>,
    task: Option<TaskId>,
    employee: Option<EmployeeId>,
    kind: RateKind,
    amount: Rate,
    valid_from: Date,
    created_at: Millis,
}

impl From<&DatedRate> for Document {
    fn from(rate: &DatedRate) -> Self {
        let RateScope { project, task, employee } = rate.scope;
        let DatedRate { id, kind, amount, valid_from, created_at, .. } = *rate;
        Self { id, scope: rate.scope.to_string(), project, task, employee, kind, amount, valid_from, created_at }
    }
}

impl From<Document> for DatedRate {
    fn from(stored: Document) -> Self {
        let Document { id, project, task, employee, kind, amount, valid_from, created_at, .. } = stored;
        Self { id, scope: RateScope { project, task, employee }, kind, amount, valid_from, created_at }
    }
}

/// A scope as it is stored: its version, which each lock increases, and the history of its payroll
/// line.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ScopeDocument {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    #[serde(default)]
    payroll: LineHistory,
}

/// The collection of rates, and that of scopes with their payroll history.
#[derive(Debug)]
pub(crate) struct Rates {
    rates: Collection<Document>,
    scopes: Collection<ScopeDocument>,
}

impl Rates {
    pub(super) fn shapes() -> [Shape; 2] {
        let rates = vec![
            unique(doc! { "scope": 1, "kind": 1, "valid_from": 1 }),
            index(doc! { "project": 1, "_id": 1 }),
            index(doc! { "task": 1, "_id": 1 }),
            index(doc! { "employee": 1, "_id": 1 }),
        ];
        [("rates", rates), ("rate_scopes", Vec::new())]
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { rates: db.collection("rates"), scopes: db.collection("rate_scopes") }
    }

    /// Finds a rate.
    pub(crate) async fn find(&self, id: RateId) -> Result<Option<DatedRate>, Error> {
        Ok(self.rates.find_one(doc! { "_id": value(&id) }).await?.map(DatedRate::from))
    }

    /// Reads a rate in this transaction.
    pub(crate) async fn find_in(&self, tx: &mut Tx<'_>, id: RateId) -> Result<Option<DatedRate>, Error> {
        let found = self.rates.find_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?;
        Ok(found.map(DatedRate::from))
    }

    /// Locks a scope until this transaction ends, and returns the rates and the payroll history of
    /// the scope.
    pub(crate) async fn lock(&self, tx: &mut Tx<'_>, scope: RateScope) -> Result<Locked, Error> {
        let this = doc! { "_id": scope.to_string() };
        let touch = doc! { "$inc": { "version": 1_i64 } };
        let locked = self.scopes.find_one_and_update(this, touch).upsert(true).return_document(ReturnDocument::After);
        let locked = locked.session(&mut tx.session).await?;
        let (version, payroll) = locked.map(|locked| (locked.version, locked.payroll)).unwrap_or_default();
        let mut found = self.rates.find(doc! { "scope": scope.to_string() }).session(&mut tx.session).await?;
        let rates = found.stream(&mut tx.session).map_ok(DatedRate::from).try_collect().await?;
        Ok(Locked { scope, version, rates, payroll })
    }

    /// Stores a new rate.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, rate: &DatedRate) -> Result<(), Error> {
        self.rates.insert_one(Document::from(rate)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Deletes a rate.
    pub(crate) async fn delete(&self, tx: &mut Tx<'_>, id: RateId) -> Result<(), Error> {
        self.rates.delete_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?;
        Ok(())
    }

    /// Stores the payroll history of a locked scope.
    pub(crate) async fn keep_payroll(&self, tx: &mut Tx<'_>, locked: &Locked) -> Result<(), Error> {
        let set = doc! { "$set": { "payroll": value(&locked.payroll) } };
        self.scopes.update_one(doc! { "_id": locked.scope.to_string() }, set).session(&mut tx.session).await?;
        Ok(())
    }

    /// Whether a scope has a payroll history.
    pub(crate) async fn has_history(&self, tx: &mut Tx<'_>, scope: RateScope) -> Result<bool, Error> {
        let some = doc! { "_id": scope.to_string(), "payroll.0": { "$exists": true } };
        Ok(self.scopes.find_one(some).session(&mut tx.session).await?.is_some())
    }

    /// A page of the rates that match the request. `tasks` must have the tasks of the requested
    /// projects.
    pub(crate) async fn list(&self, list: &ListRates, tasks: &[TaskId]) -> Result<Page<DatedRate, RateId>, Error> {
        let mut all = Vec::new();
        if !list.projects.is_empty() {
            all.push(doc! { "$or": [{ "project": one_of(&list.projects) }, { "task": one_of(tasks) }] });
        }
        if !list.tasks.is_empty() {
            all.push(doc! { "task": one_of(&list.tasks) });
        }
        if !list.employees.is_empty() {
            all.push(doc! { "employee": one_of(&list.employees) });
        }
        if !list.kinds.is_empty() {
            all.push(doc! { "kind": one_of(&list.kinds) });
        }
        if list.everywhere {
            all.push(doc! { "project": null, "task": null });
        }
        if let Some(after) = list.after {
            all.push(doc! { "_id": { "$gt": value(&after) } });
        }
        let filter = if all.is_empty() {
            doc! {}
        } else {
            doc! { "$and": all }
        };
        let stored = self.rates.find(filter).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        Ok(kit::page_within(stored.map_ok(DatedRate::from), |rate| rate.id).await?)
    }
}

/// A scope that this transaction has locked, with its rates and its payroll history.
#[derive(Debug)]
pub(crate) struct Locked {
    scope: RateScope,
    version: i64,
    pub(crate) rates: Vec<DatedRate>,
    pub(crate) payroll: LineHistory,
}

impl Locked {
    /// The event about the rates and the payroll history of the scope.
    pub(crate) fn changed(self) -> RatesChanged {
        let since = |rate: DatedRate| RateSince {
            kind: rate.kind,
            amount: rate.amount,
            valid_from: rate.valid_from,
            set_at: rate.created_at,
        };
        RatesChanged {
            scope: self.scope,
            version: self.version,
            rates: self.rates.into_iter().map(since).collect(),
            payroll: self.payroll.0,
        }
    }
}
