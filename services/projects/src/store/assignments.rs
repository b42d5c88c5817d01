use bson::{Bson, doc};
use contracts::{AssignmentChanged, AssignmentKey, EmployeeId, FormerTerms, Millis, Page, ProjectId, TaskId, TaskTerm};
use futures::{StreamExt, TryStreamExt};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::BATCH;
use crate::domain::Assignment;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Key {
    task: TaskId,
    employee: EmployeeId,
}

/// The edge between a task and an employee, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    key: Key,
    project: ProjectId,
    /// Whether the last term is open.
    open: bool,
    terms: Vec<TaskTerm>,
    /// Empty in documents that an earlier version of this service has stored.
    #[serde(default)]
    former: Vec<FormerTerms>,
    version: i64,
}

impl From<&Assignment> for Document {
    fn from(assignment: &Assignment) -> Self {
        Self {
            key: Key { task: assignment.task, employee: assignment.employee },
            project: assignment.project,
            open: assignment.is_on(),
            terms: assignment.terms.clone(),
            former: assignment.former.clone(),
            version: assignment.version,
        }
    }
}

impl From<Document> for Assignment {
    fn from(stored: Document) -> Self {
        let Key { task, employee } = stored.key;
        let Document { project, terms, former, version, .. } = stored;
        Self { task, project, employee, terms, former, version }
    }
}

/// The edges between tasks and employees. Edges are never deleted, because recorded windows of time
/// refer to their terms.
#[derive(Debug)]
pub(crate) struct Assignments(Collection<Document>);

impl Assignments {
    pub(super) fn shape() -> Shape {
        let indexes = [doc! { "_id.task": 1 }, doc! { "project": 1, "_id.employee": 1, "open": 1 }];
        ("assignments", indexes.map(index).into())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("assignments"))
    }

    /// All edges of a task.
    pub(crate) async fn of_task(&self, tx: &mut Tx<'_>, task: TaskId) -> Result<Vec<Assignment>, Error> {
        let mut found = self.0.find(doc! { "_id.task": value(&task) }).session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).map(|stored| stored.map(Assignment::from)).try_collect().await?)
    }

    /// A page of all edges after this key, as the events about them.
    pub(crate) async fn all(
        &self,
        after: Option<AssignmentKey>,
    ) -> Result<Page<AssignmentChanged, AssignmentKey>, Error> {
        let after = after.map(|at| doc! { "_id": { "$gt": value(&at) } }).unwrap_or_default();
        let stored = self.0.find(after).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        let edges = stored.map_ok(|stored| Assignment::from(stored).changed());
        Ok(kit::page_within(edges, |edge| AssignmentKey { task: edge.task_id, employee: edge.employee_id }).await?)
    }

    /// Stores new and changed edges with two writes, however many edges there are.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, assignments: &[Assignment]) -> Result<(), Error> {
        let documents: Vec<_> = assignments.iter().map(Document::from).collect();
        if !documents.is_empty() {
            let keys = one_of(documents.iter().map(|document| document.key));
            self.0.delete_many(doc! { "_id": keys }).session(&mut tx.session).await?;
            self.0.insert_many(documents).session(&mut tx.session).await?;
        }
        Ok(())
    }

    /// Ends the open terms of these employees on all tasks of a project, with one write. Emits no
    /// events, because services that have the memberships can tell that the assignments have ended.
    pub(crate) async fn end(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        employees: &[EmployeeId],
        at: Millis,
    ) -> Result<(), Error> {
        let of = doc! { "project": value(&project), "_id.employee": one_of(employees), "open": true };
        let ended =
            doc! { "$set": { "terms.$[open].term.until": value(&at), "open": false }, "$inc": { "version": 1 } };
        let open = doc! { "open.term.until": Bson::Null };
        self.0.update_many(of, ended).array_filters([open]).session(&mut tx.session).await?;
        Ok(())
    }
}
