use std::collections::{HashMap, HashSet};

use bson::doc;
use contracts::{EmployeeId, EmployeeState, MemberChanged, MemberKey, Page, ProjectId, Term};
use futures::{StreamExt, TryStreamExt};
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::BATCH;
use crate::domain::Member;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Key {
    project: ProjectId,
    employee: EmployeeId,
}

/// The edge between a project and an employee, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    key: Key,
    epoch: i64,
    /// Whether the last term is open.
    open: bool,
    terms: Vec<Term>,
    version: i64,
}

impl From<&Member> for Document {
    fn from(member: &Member) -> Self {
        Self {
            key: Key { project: member.project, employee: member.employee },
            epoch: member.epoch,
            open: member.is_on(),
            terms: member.terms.clone(),
            version: member.version,
        }
    }
}

impl From<Document> for Member {
    fn from(stored: Document) -> Self {
        let Key { project, employee } = stored.key;
        Self { project, employee, epoch: stored.epoch, terms: stored.terms, version: stored.version }
    }
}

/// The edges between projects and employees. Edges are never deleted, because assignments and
/// recorded windows of time refer to their terms.
#[derive(Debug)]
pub(crate) struct Members(Collection<Document>);

impl Members {
    pub(super) fn shape() -> Shape {
        let indexes = [doc! { "_id.project": 1, "open": 1 }, doc! { "_id.employee": 1, "open": 1, "epoch": 1 }];
        ("members", indexes.map(index).into())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("members"))
    }

    /// The edges between a project and these employees. For an employee without an edge, makes a
    /// new one, which is not stored yet.
    pub(crate) async fn between(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        employees: &[EmployeeId],
    ) -> Result<Vec<Member>, Error> {
        let keys = one_of(employees.iter().map(|employee| Key { project, employee: *employee }));
        let mut members = self.find_in(tx, doc! { "_id": keys }).await?;
        let known: HashSet<_> = members.iter().map(|member| member.employee).collect();
        let unknown = employees.iter().filter(|id| !known.contains(id));
        members.extend(unknown.map(|employee| Member::new(project, *employee)));
        Ok(members)
    }

    /// The edges of the current members of a project.
    pub(crate) async fn of_project(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Vec<Member>, Error> {
        self.find_in(tx, doc! { "_id.project": value(&project), "open": true }).await
    }

    /// The edges of the projects that an employee is a member of now.
    pub(crate) async fn of_employee(&self, tx: &mut Tx<'_>, employee: EmployeeId) -> Result<Vec<Member>, Error> {
        self.find_in(tx, doc! { "_id.employee": value(&employee), "open": true }).await
    }

    async fn find_in(&self, tx: &mut Tx<'_>, filter: bson::Document) -> Result<Vec<Member>, Error> {
        let mut found = self.0.find(filter).session(&mut tx.session).await?;
        Ok(found.stream(&mut tx.session).map(|stored| stored.map(Member::from)).try_collect().await?)
    }

    /// The projects on which an employee has a current membership that began before this epoch.
    pub(crate) async fn before_epoch(&self, employee: EmployeeId, epoch: i64) -> Result<Vec<ProjectId>, Error> {
        let older = doc! { "_id.employee": value(&employee), "open": true, "epoch": { "$lt": epoch } };
        Ok(self.0.find(older).await?.map_ok(|stored| stored.key.project).try_collect().await?)
    }

    /// Those of these employees who still have a membership from before their last deactivation.
    pub(crate) async fn left_on(&self, employee_states: &[EmployeeState]) -> Result<HashSet<EmployeeId>, Error> {
        let epochs: HashMap<_, _> =
            employee_states.iter().filter(|one| one.epoch > 0).map(|one| (one.id, one.epoch)).collect();
        let mut found = self.0.find(doc! { "_id.employee": one_of(epochs.keys()), "open": true }).await?;
        let mut left = HashSet::new();
        while let Some(Document { key, epoch, .. }) = found.try_next().await? {
            if epochs.get(&key.employee).is_some_and(|last| epoch < *last) {
                left.insert(key.employee);
            }
        }
        Ok(left)
    }

    /// A page of all edges after this key, as the events about them.
    pub(crate) async fn all(&self, after: Option<MemberKey>) -> Result<Page<MemberChanged, MemberKey>, Error> {
        let after = after.map(|at| doc! { "_id": { "$gt": value(&at) } }).unwrap_or_default();
        let stored = self.0.find(after).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        let edges = stored.map_ok(|stored| Member::from(stored).changed());
        Ok(kit::page_within(edges, |edge| MemberKey { project: edge.project_id, employee: edge.employee_id }).await?)
    }

    /// Stores new and changed edges with two writes, however many edges there are.
    pub(crate) async fn save(&self, tx: &mut Tx<'_>, members: &[Member]) -> Result<(), Error> {
        let documents: Vec<_> = members.iter().map(Document::from).collect();
        if !documents.is_empty() {
            let keys = one_of(documents.iter().map(|document| document.key));
            self.0.delete_many(doc! { "_id": keys }).session(&mut tx.session).await?;
            self.0.insert_many(documents).session(&mut tx.session).await?;
        }
        Ok(())
    }
}
