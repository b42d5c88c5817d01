//! Reads the data that the services have stored.

use bson::{Document, doc};
use contracts::{
    AssignmentChanged, EmployeeChanged, EmployeeId, FormerTerms, MemberChanged, Millis, ProjectChanged, ProjectId,
    ProjectTerm, TaskChanged, TaskId, TaskTerm, Term,
};
use futures::TryStreamExt;
use mongodb::Database;
use serde::{Deserialize, de::DeserializeOwned};

/// A project, as the service `projects` stores it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ProjectRow {
    #[serde(rename = "_id")]
    pub(super) id: ProjectId,
    pub(super) employees: Vec<EmployeeId>,
    pub(super) archived: bool,
    pub(super) open: Vec<Term>,
    pub(super) version: i64,
}

/// A task, as the service `projects` stores it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct TaskRow {
    pub(super) project_id: ProjectId,
    pub(super) employees: Vec<EmployeeId>,
    pub(super) projects: Vec<ProjectTerm>,
}

/// The key of a membership.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct MemberKey {
    pub(super) project: ProjectId,
}

/// A membership, as the service `projects` stores it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct MemberRow {
    #[serde(rename = "_id")]
    pub(super) key: MemberKey,
    pub(super) epoch: i64,
    pub(super) open: bool,
    pub(super) terms: Vec<Term>,
    pub(super) version: i64,
}

/// An assignment, as the service `projects` stores it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AssignmentRow {
    pub(super) project: ProjectId,
    pub(super) open: bool,
    pub(super) terms: Vec<TaskTerm>,
    #[serde(default)]
    pub(super) former: Vec<FormerTerms>,
}

/// The copy of an employee's state that the service `projects` stores.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct EmployeeStateRow {
    pub(super) version: i64,
    pub(super) epoch: i64,
    pub(super) deactivated_at: Option<Millis>,
}

/// An employee, as directory stores it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EmployeeRow {
    #[serde(rename = "_id")]
    pub(super) id: EmployeeId,
    pub(super) version: i64,
    pub(super) epoch: i64,
    pub(super) email: String,
    pub(super) projects: Vec<ProjectId>,
    pub(super) activated_at: Option<Millis>,
    pub(super) deactivated_at: Option<Millis>,
    pub(super) active: Vec<Term>,
}

/// A copy that timetrack stores.
#[derive(Clone, Debug, Deserialize)]
pub(super) enum Binding {
    Employee(EmployeeChanged),
    Project(ProjectChanged),
    Task(TaskChanged),
    Member(MemberChanged),
    Assignment(AssignmentChanged),
}

/// The document of a copy in timetrack.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct BindingRow {
    pub(super) binding: Binding,
}

/// Returns all documents of a collection that match a filter.
pub(super) async fn all<T>(db: &Database, collection: &str, filter: Document) -> anyhow::Result<Vec<T>>
where
    T: DeserializeOwned + Send + Sync + Unpin,
{
    Ok(db.collection::<T>(collection).find(filter).await?.try_collect().await?)
}

/// Returns the document with this id, if there is one.
pub(super) async fn one<T>(db: &Database, collection: &str, id: bson::Bson) -> anyhow::Result<Option<T>>
where
    T: DeserializeOwned + Send + Sync + Unpin,
{
    Ok(db.collection::<T>(collection).find_one(doc! { "_id": id }).await?)
}

/// Returns the keys of the copies by which timetrack decides about an employee's windows on a task.
pub(super) fn binding_keys(employee: EmployeeId, task: TaskId, projects: &[ProjectId]) -> Vec<String> {
    let of_projects = projects.iter().flat_map(|id| [format!("p:{id}"), format!("m:{id}:{employee}")]);
    [format!("e:{employee}"), format!("t:{task}"), format!("a:{task}:{employee}")]
        .into_iter()
        .chain(of_projects)
        .collect()
}
