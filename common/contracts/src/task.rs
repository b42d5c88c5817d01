//! Tasks, and the requests to projects about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    EmployeeId, Event, Label, Millis, Name, Note, Page, ProjectId, Service, TaskId, Term, TruthSent,
    given::{given, given_present},
    lenient::present_truth,
    message::requests,
    nullable, present,
};

/// A task, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The task's id.
    pub id: TaskId,
    /// The name.
    pub name: Name,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The description.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether its work is billed.
    pub billable: bool,
    /// The employees on it; each is also on the project.
    pub employees: Vec<EmployeeId>,
    /// One of the project's statuses.
    #[schema(value_type = String, example = "To Do")]
    pub status: Label,
    /// One of the project's priorities.
    #[schema(value_type = String, example = "Medium")]
    pub priority: Label,
    /// Who created it.
    #[schema(example = "admin")]
    pub creator_id: String,
    /// Always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// When it was created.
    pub created_at: Millis,
}

/// A task in an employee's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskSummary {
    /// The task's id.
    pub id: TaskId,
    /// The name.
    pub name: Name,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its status.
    #[schema(value_type = String, example = "To Do")]
    pub status: Label,
    /// Its priority.
    #[schema(value_type = String, example = "Medium")]
    pub priority: Label,
    /// The employees on it.
    pub employees: Vec<EmployeeId>,
}

impl From<Task> for TaskSummary {
    fn from(task: Task) -> Self {
        let Task { id, name, project_id, status, priority, employees, .. } = task;
        Self { id, name, project_id, status, priority, employees }
    }
}

/// Creates a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateTask {
    /// The name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Note>,
    /// Whether its work is billed; the default is yes.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on it, who must be on the project.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// One of the project's statuses; the default is `To Do`.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub status: Option<Label>,
    /// One of the project's priorities; the default is `Medium`.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub priority: Option<Label>,
}

/// The changes of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The new project, which the employees must be on.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProjectId, required = false)]
    pub project_id: Option<ProjectId>,
    /// The new description; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Option<Note>>,
    /// Whether its work is billed.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on it, who replace the present ones.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The new status: one of the project's.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub status: Option<Label>,
    /// The new priority: one of the project's.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub priority: Option<Label>,
}

/// Changes a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateTask {
    /// The id of the task.
    pub id: TaskId,
    /// What to change.
    pub changes: TaskChanges,
}

/// Asks for one task; an employee only for one of a project that they are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTask {
    /// The id of the task.
    pub id: TaskId,
}

/// Asks for tasks, page by page; an employee for those of the projects that they are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTasks {
    /// Only tasks of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
}

/// Deletes a task. Recorded time stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTask {
    /// The id of the task.
    pub id: TaskId,
}

/// A task was created, changed or deleted. It contains what the recording of time needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskChanged {
    /// The id of the task.
    pub id: TaskId,
    /// Its project.
    pub project_id: ProjectId,
    /// The version of the task.
    pub version: i64,
    /// Whether its work is billed.
    pub billable: bool,
    /// Its status, which windows without a status get.
    pub status: Label,
    /// Its priority, which windows without a priority get.
    pub priority: Label,
    /// Whether it is deleted.
    pub deleted: bool,
    /// The projects that it has belonged to, in order. A term ends when the task is moved or deleted, but not when
    /// its project is. Events of earlier versions do not have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<ProjectTerm>>,
}

/// A term in which a task belonged to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectTerm {
    /// The project.
    pub project_id: ProjectId,
    /// The term.
    pub term: Term,
}

impl TaskChanged {
    /// The terms in which it belonged to a project, as far as they are known. An event without them says only
    /// where it belongs now.
    pub fn terms_on(&self, project: ProjectId) -> Vec<Term> {
        match &self.projects {
            Some(projects) => projects.iter().filter(|on| on.project_id == project).map(|on| on.term).collect(),
            None if self.deleted || self.project_id != project => Vec::new(),
            None => vec![Term::ALWAYS],
        }
    }
}

impl Event for TaskChanged {
    const SERVICE: Service = Service::Projects;
    const NOUN: &'static str = "task";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Timetrack];

    fn aggregate(&self) -> String {
        self.id.to_string()
    }
}

requests! {
    Projects: CreateTask => Task, "tasks.create";
    Projects: GetTask => Task, "tasks.get", idempotent;
    Projects: ListTasks => Page<Task, TaskId>, "tasks.list", idempotent;
    Projects: UpdateTask => Task, "tasks.update";
    Projects: DeleteTask => (), "tasks.delete";
}
