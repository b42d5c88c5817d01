//! Tasks, and the requests about them to the service `projects`.

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
    /// The task's name.
    pub name: Name,
    /// The project that the task belongs to.
    pub project_id: ProjectId,
    /// The task's description.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether work on the task is billed.
    pub billable: bool,
    /// The employees on the task. Each of them is also on the project.
    pub employees: Vec<EmployeeId>,
    /// The task's status: one of the project's statuses.
    #[schema(value_type = String, example = "To Do")]
    pub status: Label,
    /// The task's priority: one of the project's priorities.
    #[schema(value_type = String, example = "Medium")]
    pub priority: Label,
    /// Who created the task: always `admin`, for now.
    #[schema(example = "admin")]
    pub creator_id: String,
    /// The id of the organisation: always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// When the task was created.
    pub created_at: Millis,
}

/// A task, as the API shows it in an employee's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskSummary {
    /// The task's id.
    pub id: TaskId,
    /// The task's name.
    pub name: Name,
    /// The project that the task belongs to.
    pub project_id: ProjectId,
    /// The task's status.
    #[schema(value_type = String, example = "To Do")]
    pub status: Label,
    /// The task's priority.
    #[schema(value_type = String, example = "Medium")]
    pub priority: Label,
    /// The employees on the task.
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
    /// The task's name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The project that the task belongs to.
    pub project_id: ProjectId,
    /// The task's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Note>,
    /// Whether work on the task is billed; the default is `true`.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on the task, who must be on the project; the default is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The task's status: one of the project's statuses; the default is `To Do`.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub status: Option<Label>,
    /// The task's priority: one of the project's priorities; the default is `Medium`.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub priority: Option<Label>,
}

/// The changes of a task. Fields that are left out stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The new project. The employees on the task must be on this project.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProjectId, required = false)]
    pub project_id: Option<ProjectId>,
    /// The new description; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Option<Note>>,
    /// Whether work on the task is billed.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on the task. This list replaces the present one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The new status: one of the project's statuses.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Label, required = false)]
    pub status: Option<Label>,
    /// The new priority: one of the project's priorities.
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

/// Requests one task. An employee may only request a task of a project that they are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTask {
    /// The id of the task.
    pub id: TaskId,
}

/// Requests tasks, page by page. An employee gets the tasks of the projects that they are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTasks {
    /// Only tasks of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The id of the last task of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
}

/// Deletes a task. Recorded time is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTask {
    /// The id of the task.
    pub id: TaskId,
}

/// Published when a task was created, changed or deleted. The event contains the values that
/// timetrack needs to record time on the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskChanged {
    /// The id of the task.
    pub id: TaskId,
    /// The project that the task belongs to.
    pub project_id: ProjectId,
    /// The version of the task. A later change has a higher version.
    pub version: i64,
    /// Whether work on the task is billed.
    pub billable: bool,
    /// The task's status. A window that is sent without a status gets this one.
    pub status: Label,
    /// The task's priority. A window that is sent without a priority gets this one.
    pub priority: Label,
    /// Whether the task is deleted.
    pub deleted: bool,
    /// The projects that the task has belonged to, with the term in each, in order. A term ends
    /// when the task is moved or deleted, but not when its project is deleted. Events from earlier
    /// versions of the service do not have this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<ProjectTerm>>,
}

/// A term in which a task belonged to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectTerm {
    /// The id of the project.
    pub project_id: ProjectId,
    /// The term in which the task belonged to the project.
    pub term: Term,
}

impl TaskChanged {
    /// The terms in which the task belonged to a project. If `projects` is missing, only the
    /// present project is known: it is then taken to be the project for all time, and a deleted
    /// task has no terms.
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
