//! Projects, and what may be asked of the projects service about them.

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

/// A project, as the API shows one to an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The project's id.
    pub id: ProjectId,
    /// The name.
    pub name: Name,
    /// What it is about.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether its work is billed.
    pub billable: bool,
    /// Who is on it.
    pub employees: Vec<EmployeeId>,
    /// Whether the desktop app takes screenshots.
    pub screenshot_settings: ScreenshotSettings,
    /// What an hour of whom is billed with.
    pub payroll: Payroll,
    /// Who created it.
    #[schema(example = "admin")]
    pub creator_id: String,
    /// Always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// Whether it is archived: out of the list, and no new time.
    pub archived: bool,
    /// The statuses a task of it can have.
    pub statuses: Vec<Label>,
    /// The priorities a task of it can have.
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
    /// What it is about.
    #[schema(value_type = Option<String>)]
    pub description: Option<Note>,
    /// Whether its work is billed.
    pub billable: bool,
    /// Who is on it.
    pub employees: Vec<EmployeeId>,
    /// Whether it is archived.
    pub archived: bool,
    /// The statuses a task of it can have.
    pub statuses: Vec<Label>,
    /// The priorities a task of it can have.
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
    /// Whether it does.
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
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Note>,
    /// Whether its work is billed; it is, unless said otherwise.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Who is on it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The statuses a task of it can have; `To Do`, `In Progress`, `Done` unless said otherwise.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100, example = json!(["To Do", "In Progress", "Done"]))]
    pub statuses: Option<Vec<Label>>,
    /// The priorities a task of it can have; `Low`, `Medium`, `High` unless said otherwise.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100, example = json!(["Low", "Medium", "High"]))]
    pub priorities: Option<Vec<Label>>,
    /// Whether the desktop app takes screenshots; it does not, unless said otherwise.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ScreenshotSettings, required = false)]
    pub screenshot_settings: Option<ScreenshotSettings>,
    /// What an hour of whom is billed with.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Payroll, required = false)]
    pub payroll: Option<Payroll>,
}

/// What may be changed about a project. A list or the payroll replaces what was there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectChanges {
    /// Another name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// Another description; `null` clears it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Note>)]
    pub description: Option<Option<Note>>,
    /// Whether its work is billed.
    #[serde(default, deserialize_with = "present_truth", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TruthSent, required = false)]
    pub billable: Option<bool>,
    /// Who is on it. Whoever is left out is off its tasks too.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
    /// The statuses a task of it can have.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100)]
    pub statuses: Option<Vec<Label>>,
    /// The priorities a task of it can have.
    #[serde(default, deserialize_with = "given_list", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<Choice>, required = false, min_items = 1, max_items = 100)]
    pub priorities: Option<Vec<Label>>,
    /// Whether the desktop app takes screenshots.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ScreenshotSettings, required = false)]
    pub screenshot_settings: Option<ScreenshotSettings>,
    /// What an hour of whom is billed with.
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
    /// Which.
    pub id: ProjectId,
    /// What.
    pub changes: ProjectChanges,
}

/// Asks for one project; an employee gets it only when on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetProject {
    /// Which.
    pub id: ProjectId,
}

/// Asks for all projects that are not archived, or for those that are, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProjects {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ProjectId>,
    /// Those that are archived, in place of those that are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

/// Deletes a project and its tasks; recorded time stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteProject {
    /// Which.
    pub id: ProjectId,
}

/// A project was created, has changed or is deleted: what the recording of time needs of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectChanged {
    /// Which.
    pub id: ProjectId,
    /// The version of the project.
    pub version: i64,
    /// Its rates.
    pub payroll: Payroll,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is deleted; its tasks are then too, without events of their own.
    pub deleted: bool,
    /// When it took time, in order: while it was neither archived nor deleted. Events of earlier
    /// versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Vec<Term>>,
}

impl ProjectChanged {
    /// When it took time, as far as is known: an event that does not say leaves only now.
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
