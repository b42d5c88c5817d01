//! Projects, and the requests about them to the service `projects`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Choice, EmployeeId, Event, Label, Millis, Name, Note, Page, Payroll, ProjectId, Service, Term, TruthSent,
    given::{given, given_list, given_present},
    lenient::{present_truth, truth},
    message::requests,
    nullable, present,
};

/// The maximum number of employees on one project.
pub const MEMBERS_MOST: usize = 1_000;
/// The maximum number of statuses, and of priorities, of one project.
pub const CHOICES_MOST: usize = 100;

/// A project, as the API shows it to an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The project's id.
    pub id: ProjectId,
    /// The project's name.
    pub name: Name,
    /// The project's description.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether work on the project is billed.
    pub billable: bool,
    /// The employees on the project.
    pub employees: Vec<EmployeeId>,
    /// Whether the desktop app takes screenshots during work on the project.
    pub screenshot_settings: ScreenshotSettings,
    /// The rates of the project's employees.
    pub payroll: Payroll,
    /// Who created the project: always `admin`, for now.
    #[schema(example = "admin")]
    pub creator_id: String,
    /// The id of the organisation: always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// Whether the project is archived. Lists of projects leave out archived ones, and new time on
    /// them is quarantined.
    pub archived: bool,
    /// The statuses that the project's tasks can have.
    pub statuses: Vec<Label>,
    /// The priorities that the project's tasks can have.
    pub priorities: Vec<Label>,
    /// When the project was created.
    pub created_at: Millis,
}

/// A project, as the API shows it to an employee on the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSummary {
    /// The project's id.
    pub id: ProjectId,
    /// The project's name.
    pub name: Name,
    /// The project's description.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether work on the project is billed.
    pub billable: bool,
    /// The employees on the project.
    pub employees: Vec<EmployeeId>,
    /// Whether the project is archived.
    pub archived: bool,
    /// The statuses that the project's tasks can have.
    pub statuses: Vec<Label>,
    /// The priorities that the project's tasks can have.
    pub priorities: Vec<Label>,
}

impl From<Project> for ProjectSummary {
    fn from(project: Project) -> Self {
        let Project { id, name, description, billable, employees, archived, statuses, priorities, .. } = project;
        Self { id, name, description, billable, employees, archived, statuses, priorities }
    }
}

/// The settings of a project for screenshots by the desktop app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScreenshotSettings {
    /// Whether the desktop app takes screenshots during work on the project.
    #[serde(deserialize_with = "truth")]
    #[schema(value_type = TruthSent)]
    pub screenshot_enabled: bool,
}

/// Creates a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateProject {
    /// The project's name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The project's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Note>,
    /// Whether work on the project is billed; the default is `true`.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on the project; the default is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The statuses that the project's tasks can have; the default is `To Do`, `In Progress` and
    /// `Done`.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100, example = json!(["To Do", "In Progress", "Done"]))]
    pub statuses: Option<Vec<Label>>,
    /// The priorities that the project's tasks can have; the default is `Low`, `Medium` and `High`.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100, example = json!(["Low", "Medium", "High"]))]
    pub priorities: Option<Vec<Label>>,
    /// Whether the desktop app takes screenshots during work on the project; the default is no.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ScreenshotSettings, required = false)]
    pub screenshot_settings: Option<ScreenshotSettings>,
    /// The rates of the project's employees.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payroll, required = false)]
    pub payroll: Option<Payroll>,
}

/// The changes of a project. Fields that are left out stay as they are. A list or payroll replaces
/// the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The new description; `null` removes it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Option<Note>>,
    /// Whether work on the project is billed.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on the project. Employees who are removed from the project are also removed
    /// from its tasks.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The statuses that the project's tasks can have.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100)]
    pub statuses: Option<Vec<Label>>,
    /// The priorities that the project's tasks can have.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100)]
    pub priorities: Option<Vec<Label>>,
    /// Whether the desktop app takes screenshots during work on the project.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ScreenshotSettings, required = false)]
    pub screenshot_settings: Option<ScreenshotSettings>,
    /// The rates of the project's employees.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payroll, required = false)]
    pub payroll: Option<Payroll>,
    /// Whether the project is archived.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub archived: Option<bool>,
}

/// Changes a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateProject {
    /// The id of the project.
    pub id: ProjectId,
    /// What to change.
    pub changes: ProjectChanges,
}

/// Requests one project. An employee may only request a project that they are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetProject {
    /// The id of the project.
    pub id: ProjectId,
}

/// Requests the projects that are not archived, or those that are, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProjects {
    /// The id of the last project of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProjectId>,
    /// Whether to list the archived projects instead of the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

/// Deletes a project and its tasks. Recorded time is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteProject {
    /// The id of the project.
    pub id: ProjectId,
}

/// Published when a project was created, changed or deleted. The event contains the values that
/// timetrack needs to record time on the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectChanged {
    /// The id of the project.
    pub id: ProjectId,
    /// The version of the project. A later change has a higher version.
    pub version: i64,
    /// The rates of the project's employees.
    pub payroll: Payroll,
    /// Whether the project is archived.
    pub archived: bool,
    /// Whether the project is deleted. Its tasks are then deleted too, and no events are published
    /// for them.
    pub deleted: bool,
    /// The terms in which the project was neither archived nor deleted, in order. Events of earlier
    /// versions do not have this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Vec<Term>>,
}

impl ProjectChanged {
    /// The terms in which time could be recorded on the project. If `open` is missing, this is all
    /// time or none, depending on whether the project is open now.
    pub fn open_terms(&self) -> Vec<Term> {
        let always = || if self.archived || self.deleted { Vec::new() } else { vec![Term::ALWAYS] };
        self.open.clone().unwrap_or_else(always)
    }
}

impl Event for ProjectChanged {
    const SERVICE: Service = Service::Projects;
    const NOUN: &'static str = "project";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Timetrack];

    fn aggregate(&self) -> String {
        self.id.to_string()
    }
}

requests! {
    Projects: CreateProject => Project, "projects.create";
    Projects: GetProject => Project, "projects.get", idempotent;
    Projects: ListProjects => Page<Project, ProjectId>, "projects.list", idempotent;
    Projects: UpdateProject => Project, "projects.update";
    Projects: DeleteProject => (), "projects.delete";
}
