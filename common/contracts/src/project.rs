//! Projects, and the requests to projects about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Choice, EmployeeId, Event, Label, Millis, Name, Note, Page, Payroll, ProjectId, Service, Term, TruthSent,
    given::{given, given_list, given_present},
    lenient::{present_truth, truth},
    message::requests,
    nullable, present,
};

/// The most employees of one project.
pub const MEMBERS_MOST: usize = 1_000;
/// The most statuses, and the most priorities, of one project.
pub const CHOICES_MOST: usize = 100;

/// A project, as the API shows it to an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The project's id.
    pub id: ProjectId,
    /// The name.
    pub name: Name,
    /// The description.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether its work is billed.
    pub billable: bool,
    /// The employees on it.
    pub employees: Vec<EmployeeId>,
    /// Whether the desktop app takes screenshots.
    pub screenshot_settings: ScreenshotSettings,
    /// The rates of its employees.
    pub payroll: Payroll,
    /// Who created it.
    #[schema(example = "admin")]
    pub creator_id: String,
    /// Always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// Whether it is archived: lists leave it out, and new time is quarantined.
    pub archived: bool,
    /// The statuses that its tasks can have.
    pub statuses: Vec<Label>,
    /// The priorities that its tasks can have.
    pub priorities: Vec<Label>,
    /// When it was created.
    pub created_at: Millis,
}

/// A project, as an employee on it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSummary {
    /// The project's id.
    pub id: ProjectId,
    /// The name.
    pub name: Name,
    /// The description.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether its work is billed.
    pub billable: bool,
    /// The employees on it.
    pub employees: Vec<EmployeeId>,
    /// Whether it is archived.
    pub archived: bool,
    /// The statuses that its tasks can have.
    pub statuses: Vec<Label>,
    /// The priorities that its tasks can have.
    pub priorities: Vec<Label>,
}

impl From<Project> for ProjectSummary {
    fn from(project: Project) -> Self {
        let Project { id, name, description, billable, employees, archived, statuses, priorities, .. } = project;
        Self { id, name, description, billable, employees, archived, statuses, priorities }
    }
}

/// Whether the desktop app takes screenshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScreenshotSettings {
    /// Whether it takes screenshots.
    #[serde(deserialize_with = "truth")]
    #[schema(value_type = TruthSent)]
    pub screenshot_enabled: bool,
}

/// Creates a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateProject {
    /// The name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Note>,
    /// Whether its work is billed; the default is yes.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The statuses that its tasks can have; the default is `To Do`, `In Progress`, `Done`.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100, example = json!(["To Do", "In Progress", "Done"]))]
    pub statuses: Option<Vec<Label>>,
    /// The priorities that its tasks can have; the default is `Low`, `Medium`, `High`.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100, example = json!(["Low", "Medium", "High"]))]
    pub priorities: Option<Vec<Label>>,
    /// Whether the desktop app takes screenshots; the default is no.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ScreenshotSettings, required = false)]
    pub screenshot_settings: Option<ScreenshotSettings>,
    /// The rates of its employees.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payroll, required = false)]
    pub payroll: Option<Payroll>,
}

/// The changes of a project. A list or payroll replaces the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The new description; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Option<Note>>,
    /// Whether its work is billed.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// The employees on it. Those who are left out are also removed from its tasks.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The statuses that its tasks can have.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100)]
    pub statuses: Option<Vec<Label>>,
    /// The priorities that its tasks can have.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100)]
    pub priorities: Option<Vec<Label>>,
    /// Whether the desktop app takes screenshots.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ScreenshotSettings, required = false)]
    pub screenshot_settings: Option<ScreenshotSettings>,
    /// The rates of its employees.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payroll, required = false)]
    pub payroll: Option<Payroll>,
    /// Whether it is archived.
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

/// Asks for one project; an employee only for one that they are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetProject {
    /// The id of the project.
    pub id: ProjectId,
}

/// Asks for the projects that are not archived, or for those that are, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProjects {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProjectId>,
    /// Whether to list the archived ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

/// Deletes a project and its tasks. Recorded time stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteProject {
    /// The id of the project.
    pub id: ProjectId,
}

/// A project was created, changed or deleted. It contains what the recording of time needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectChanged {
    /// The id of the project.
    pub id: ProjectId,
    /// The version of the project.
    pub version: i64,
    /// The rates of its employees.
    pub payroll: Payroll,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is deleted. Its tasks are then deleted too, without events of their own.
    pub deleted: bool,
    /// The terms in which it was neither archived nor deleted, in order. Events of earlier versions do not have
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Vec<Term>>,
}

impl ProjectChanged {
    /// The terms in which it took time, as far as they are known. An event without them says only whether it takes
    /// time now.
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
