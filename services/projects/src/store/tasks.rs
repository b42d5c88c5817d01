use std::collections::BTreeMap;

use bson::doc;
use contracts::{
    CREATOR, EmployeeId, Label, Millis, Name, Note, ORGANIZATION, Page, ProjectId, ProjectTerm, TaskChanged, TaskId,
    Term,
};
use futures::TryStreamExt;
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::{BATCH, former_names::names};
use crate::domain::Task;

/// A task as it is stored. Its `employees` are those with an open assignment.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: TaskId,
    name: Name,
    project_id: ProjectId,
    description: Option<Note>,
    billable: bool,
    employees: Vec<EmployeeId>,
    status: Label,
    priority: Label,
    created_at: Millis,
    version: i64,
    /// None in documents that an earlier version of this service has stored.
    #[serde(default)]
    projects: Option<Vec<ProjectTerm>>,
}

impl From<&Task> for Document {
    fn from(task: &Task) -> Self {
        let state = task.state.clone();
        Self {
            id: state.id,
            name: state.name,
            project_id: state.project_id,
            description: state.description,
            billable: state.billable,
            employees: state.employees,
            status: state.status,
            priority: state.priority,
            created_at: state.created_at,
            version: task.version,
            projects: Some(task.projects.clone()),
        }
    }
}

impl From<Document> for Task {
    fn from(stored: Document) -> Self {
        let project_id = stored.project_id;
        let state = contracts::Task {
            id: stored.id,
            name: stored.name,
            project_id: stored.project_id,
            description: stored.description,
            billable: stored.billable,
            employees: stored.employees,
            status: stored.status,
            priority: stored.priority,
            creator_id: CREATOR.to_owned(),
            organization_id: ORGANIZATION.to_owned(),
            created_at: stored.created_at,
        };
        let projects = stored.projects.unwrap_or_else(|| vec![ProjectTerm { project_id, term: Term::ALWAYS }]);
        Self { state, version: stored.version, projects }
    }
}

/// The collection of tasks.
#[derive(Debug)]
pub(crate) struct Tasks(Collection<Document>);

impl Tasks {
    pub(super) fn shape() -> Shape {
        let indexes = [doc! { "project_id": 1, "_id": 1 }, doc! { "project_id": 1, "employees": 1 }];
        ("tasks", indexes.map(index).into())
    }

    pub(super) fn open(db: &Database) -> Self {
        Self(db.collection("tasks"))
    }

    /// Finds a task.
    pub(crate) async fn find(&self, id: TaskId) -> Result<Option<Task>, Error> {
        Ok(self.0.find_one(doc! { "_id": value(&id) }).await?.map(Task::from))
    }

    /// Reads a task in this transaction.
    pub(crate) async fn find_in(&self, tx: &mut Tx<'_>, id: TaskId) -> Result<Option<Task>, Error> {
        let found = self.0.find_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?;
        Ok(found.map(Task::from))
    }

    /// Stores a new task.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, task: &Task) -> Result<(), Error> {
        self.0.insert_one(Document::from(task)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Replaces a task.
    pub(crate) async fn replace(&self, tx: &mut Tx<'_>, task: &Task) -> Result<(), Error> {
        let id = doc! { "_id": value(&task.state.id) };
        self.0.replace_one(id, Document::from(task)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Deletes a task.
    pub(crate) async fn delete(&self, tx: &mut Tx<'_>, id: TaskId) -> Result<(), Error> {
        self.0.delete_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?;
        Ok(())
    }

    /// Deletes the tasks of a project, and returns their last states.
    pub(crate) async fn delete_of(&self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Vec<contracts::Task>, Error> {
        let of = doc! { "project_id": value(&project) };
        let mut found = self.0.find(of.clone()).session(&mut tx.session).await?;
        let mut deleted = Vec::new();
        while let Some(stored) = found.next(&mut tx.session).await {
            deleted.push(Task::from(stored?).state);
        }
        self.0.delete_many(of).session(&mut tx.session).await?;
        Ok(deleted)
    }

    /// A page of all tasks after this id, as the events about them.
    pub(crate) async fn states(&self, after: Option<TaskId>) -> Result<Page<TaskChanged, TaskId>, Error> {
        let after = after.map(|at| doc! { "_id": { "$gt": value(&at) } }).unwrap_or_default();
        let stored = self.0.find(after).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        let states = stored.map_ok(|stored| Task::from(stored).changed());
        Ok(kit::page_within(states, |state| state.id).await?)
    }

    /// The names of these tasks.
    pub(crate) async fn names(&self, ids: &[TaskId]) -> Result<BTreeMap<TaskId, Name>, Error> {
        names(&self.0, ids).await
    }

    /// The ids of the tasks of these projects.
    pub(crate) async fn ids_of(&self, projects: &[ProjectId]) -> Result<Vec<TaskId>, Error> {
        #[derive(Deserialize)]
        struct Id {
            #[serde(rename = "_id")]
            id: TaskId,
        }
        let ids = self.0.clone_with_type::<Id>();
        let of = ids.find(doc! { "project_id": one_of(projects) }).projection(doc! { "_id": 1 }).await?;
        Ok(of.map_ok(|task| task.id).try_collect().await?)
    }

    /// Removes employees from the lists of all tasks of a project.
    pub(crate) async fn take_off(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        employees: &[EmployeeId],
    ) -> Result<(), Error> {
        let of = doc! { "project_id": value(&project), "employees": one_of(employees) };
        let without = doc! { "$pull": { "employees": one_of(employees) }, "$inc": { "version": 1 } };
        self.0.update_many(of, without).session(&mut tx.session).await?;
        Ok(())
    }

    /// A page of the tasks after this id: those of these projects, or all.
    pub(crate) async fn list(
        &self,
        projects: Option<&[ProjectId]>,
        after: Option<TaskId>,
    ) -> Result<Page<contracts::Task, TaskId>, Error> {
        let mut filter = doc! {};
        if let Some(projects) = projects {
            filter.insert("project_id", one_of(projects));
        }
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": value(&after) });
        }
        let stored = self.0.find(filter).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        let tasks = stored.map_ok(|stored| Task::from(stored).state);
        Ok(kit::page_within(tasks, |task| task.id).await?)
    }
}
