use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bson::doc;
use contracts::{
    CREATOR, EmployeeId, Label, ListProjects, Millis, Name, Note, ORGANIZATION, Page, Payroll, ProjectChanged,
    ProjectId, ScreenshotSettings, Term,
};
use futures::TryStreamExt;
use kit::{
    Database, Error, Shape, Tx,
    mongo::{index, one_of, value},
};
use mongodb::Collection;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{BATCH, former_names::names};
use crate::domain::Project;

/// A project as it is stored. Its `employees` are those with an open membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: ProjectId,
    name: Name,
    description: Option<Note>,
    billable: bool,
    employees: Vec<EmployeeId>,
    screenshot_settings: ScreenshotSettings,
    payroll: Payroll,
    archived: bool,
    /// None in documents that an earlier version of this service has stored.
    #[serde(default)]
    open: Option<Vec<Term>>,
    statuses: Vec<Label>,
    priorities: Vec<Label>,
    created_at: Millis,
    version: i64,
    /// A counter that is only changed to make transactions conflict: see [`Projects::lock`].
    touched: i64,
}

impl From<&Project> for Document {
    fn from(project: &Project) -> Self {
        let state = project.state.clone();
        Self {
            id: state.id,
            name: state.name,
            description: state.description,
            billable: state.billable,
            employees: state.employees,
            screenshot_settings: state.screenshot_settings,
            payroll: state.payroll,
            archived: state.archived,
            open: Some(project.open.clone()),
            statuses: state.statuses,
            priorities: state.priorities,
            created_at: state.created_at,
            version: project.version,
            touched: 0,
        }
    }
}

impl From<Document> for Project {
    fn from(stored: Document) -> Self {
        let state = contracts::Project {
            id: stored.id,
            name: stored.name,
            description: stored.description,
            billable: stored.billable,
            employees: stored.employees,
            screenshot_settings: stored.screenshot_settings,
            payroll: stored.payroll,
            creator_id: CREATOR.to_owned(),
            organization_id: ORGANIZATION.to_owned(),
            archived: stored.archived,
            statuses: stored.statuses,
            priorities: stored.priorities,
            created_at: stored.created_at,
        };
        // Earlier versions of this service did not store when a project was archived. A project
        // that they have archived accepts no time at all.
        let open = stored.open.unwrap_or_else(|| if stored.archived { Vec::new() } else { vec![Term::ALWAYS] });
        Self { state, version: stored.version, open }
    }
}

/// The number of queues in which this process's transactions wait to lock projects. The id of a
/// project determines its queue.
const QUEUES: usize = 64;

/// The collection of projects, and the queues for their locks.
#[derive(Debug)]
pub(crate) struct Projects {
    stored: Collection<Document>,
    queues: Vec<Arc<Mutex<()>>>,
}

impl Projects {
    pub(super) fn shape() -> Shape {
        ("projects", vec![index(doc! { "archived": 1, "_id": 1 }), index(doc! { "employees": 1 })])
    }

    pub(super) fn open(db: &Database) -> Self {
        Self { stored: db.collection("projects"), queues: (0..QUEUES).map(|_| Arc::default()).collect() }
    }

    /// Finds a project.
    pub(crate) async fn find(&self, id: ProjectId) -> Result<Option<Project>, Error> {
        Ok(self.stored.find_one(doc! { "_id": value(&id) }).await?.map(Project::from))
    }

    /// Locks a project until this transaction ends, and returns it. Must be the first operation of
    /// the transaction, so that the transaction's snapshot begins after the wait for the lock.
    pub(crate) async fn lock(&self, tx: &mut Tx<'_>, id: ProjectId) -> Result<Option<Project>, Error> {
        // The write is the lock. Without the queue, concurrent transactions of this process on one
        // project would conflict, and all but one would run again.
        let queue = &self.queues[id.0.as_u128() as usize % QUEUES];
        tx.keep(queue.clone().lock_owned().await);
        let touch = doc! { "$inc": { "touched": 1 } };
        let found = self.stored.find_one_and_update(doc! { "_id": value(&id) }, touch).session(&mut tx.session).await?;
        Ok(found.map(Project::from))
    }

    /// Locks several projects, and returns those that exist.
    pub(crate) async fn lock_all(
        &self,
        tx: &mut Tx<'_>,
        ids: impl IntoIterator<Item = ProjectId>,
    ) -> Result<BTreeMap<ProjectId, Project>, Error> {
        let ids: BTreeSet<_> = ids.into_iter().collect();
        // Each queue is locked once and always in the same order. Otherwise transactions could
        // deadlock.
        let queues: BTreeSet<_> = ids.iter().map(|id| id.0.as_u128() as usize % QUEUES).collect();
        for queue in queues {
            tx.keep(self.queues[queue].clone().lock_owned().await);
        }
        let these = doc! { "_id": one_of(&ids) };
        let touch = doc! { "$inc": { "touched": 1 } };
        self.stored.update_many(these.clone(), touch).session(&mut tx.session).await?;
        let mut found = self.stored.find(these).session(&mut tx.session).await?;
        let projects = found.stream(&mut tx.session).map_ok(|stored| (stored.id, Project::from(stored)));
        Ok(projects.try_collect().await?)
    }

    /// Stores a new project.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>, project: &Project) -> Result<(), Error> {
        self.stored.insert_one(Document::from(project)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Replaces a project.
    pub(crate) async fn replace(&self, tx: &mut Tx<'_>, project: &Project) -> Result<(), Error> {
        let id = doc! { "_id": value(&project.state.id) };
        self.stored.replace_one(id, Document::from(project)).session(&mut tx.session).await?;
        Ok(())
    }

    /// Deletes a project.
    pub(crate) async fn delete(&self, tx: &mut Tx<'_>, id: ProjectId) -> Result<(), Error> {
        self.stored.delete_one(doc! { "_id": value(&id) }).session(&mut tx.session).await?;
        Ok(())
    }

    /// A page of the projects that are archived, or of those that are not, as requested.
    pub(crate) async fn list(&self, asked: &ListProjects) -> Result<Page<contracts::Project, ProjectId>, Error> {
        let mut filter = doc! { "archived": asked.archived };
        if let Some(after) = asked.after {
            filter.insert("_id", doc! { "$gt": value(&after) });
        }
        let stored = self.stored.find(filter).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        let projects = stored.map_ok(|stored| Project::from(stored).state);
        Ok(kit::page_within(projects, |project| project.id).await?)
    }

    /// A page of all projects after this id, as the events about them.
    pub(crate) async fn states(&self, after: Option<ProjectId>) -> Result<Page<ProjectChanged, ProjectId>, Error> {
        let after = after.map(|at| doc! { "_id": { "$gt": value(&at) } }).unwrap_or_default();
        let stored = self.stored.find(after).sort(doc! { "_id": 1 }).batch_size(BATCH).await?;
        let states = stored.map_ok(|stored| Project::from(stored).changed());
        Ok(kit::page_within(states, |state| state.id).await?)
    }

    /// The names of these projects.
    pub(crate) async fn names(&self, ids: &[ProjectId]) -> Result<BTreeMap<ProjectId, Name>, Error> {
        names(&self.stored, ids).await
    }

    /// The projects that an employee is a member of.
    pub(crate) async fn of_employee(&self, employee: EmployeeId) -> Result<Vec<ProjectId>, Error> {
        #[derive(Deserialize)]
        struct Id {
            #[serde(rename = "_id")]
            id: ProjectId,
        }
        let ids = self.stored.clone_with_type::<Id>();
        let on = ids.find(doc! { "employees": value(&employee) }).projection(doc! { "_id": 1 }).await?;
        Ok(on.map_ok(|project| project.id).try_collect().await?)
    }
}
