//! Tasks, and what may be asked of the projects service about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    EmployeeId, Event, Label, Millis, Name, Note, Page, ProjectId, Service, TaskId, Term, TruthSent,
    given::{given, given_present},
    lenient::present_truth,
    message::requests,
    nullable, present,
};

/// A task, as the API shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The task's id.
    pub id: TaskId,
    /// The name.
    pub name: Name,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// What it is about.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether its work is billed.
    pub billable: bool,
    /// Who is on it; each of them is on the project.
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

/// A task, as it is listed for an employee.
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
    /// Who is on it.
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
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Note>,
    /// Whether its work is billed; it is, unless said otherwise.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Who is on it: only who is on the project.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// One of the project's statuses; `To Do` unless said otherwise.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub status: Option<Label>,
    /// One of the project's priorities; `Medium` unless said otherwise.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub priority: Option<Label>,
}

/// What may be changed about a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskChanges {
    /// Another name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// Another project: the employees must be on that one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProjectId, required = false)]
    pub project_id: Option<ProjectId>,
    /// Another description; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Option<Note>>,
    /// Whether its work is billed.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Who is on it, in place of who was.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// Another of the project's statuses.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub status: Option<Label>,
    /// Another of the project's priorities.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub priority: Option<Label>,
}

/// Changes a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateTask {
    /// Which.
    pub id: TaskId,
    /// What.
    pub changes: TaskChanges,
}

/// Asks for one task; an employee gets it only when on its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTask {
    /// Which.
    pub id: TaskId,
}

/// Asks for tasks, page by page: for an employee, those of the projects they are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTasks {
    /// Of this project only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
}

/// Deletes a task; recorded time stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTask {
    /// Which.
    pub id: TaskId,
}

/// A task was created, has changed or is deleted: what the recording of time needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskChanged {
    /// Which.
    pub id: TaskId,
    /// Its project.
    pub project_id: ProjectId,
    /// The version of the task.
    pub version: i64,
    /// Whether its work is billed.
    pub billable: bool,
    /// Its status: that of windows which name none.
    pub status: Label,
    /// Its priority: that of windows which name none.
    pub priority: Label,
    /// Whether it is deleted.
    pub deleted: bool,
    /// The projects that it belonged to, in order: each term ends when the task is moved or
    /// deleted, but not with its project. Events of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<ProjectTerm>>,
}

/// One stretch of a task's belonging to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectTerm {
    /// The project.
    pub project_id: ProjectId,
    /// When.
    pub term: Term,
}

impl TaskChanged {
    /// When it belonged to a project, as far as is known: an event that does not say leaves only now.
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
