//! Employees, their states and permissions, and the requests to directory about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AccountId, Email, EmployeeId, Event, InvitationDelivery, InvitationId, Label, Millis, Name, Page, ProjectId, Role,
    Service, TeamId, Term, WholeSent,
    given::{given, given_nullable, given_present},
    kept::kept,
    message::requests,
};

/// An employee, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Employee {
    /// The employee's id.
    pub id: EmployeeId,
    /// The employee's name.
    pub name: Name,
    /// The e-mail address. The employee logs in with it.
    pub email: Email,
    /// The id of the account.
    pub account_id: AccountId,
    /// The id of the organisation: always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// Whether the e-mail address was changed and not yet confirmed. The employee confirms it with
    /// the link that was mailed to the new address. Left out when the address is confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_unconfirmed: bool,
    /// The same value as `email`.
    pub identifier: Email,
    /// The type of the account: always `personal`.
    #[serde(rename = "type")]
    #[schema(example = "personal")]
    pub kind: String,
    /// The job title.
    #[schema(value_type = Option<String>, example = "Engineer")]
    pub title: Option<Label>,
    /// The role of the employee: what they may do apart from using their own account.
    #[serde(default)]
    pub role: Role,
    /// The team that the employee is in.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Option<TeamId>,
    /// The projects that the employee is on.
    pub projects: Vec<ProjectId>,
    /// The permissions of the desktop app, one entry for each computer.
    pub system_permissions: Vec<SystemPermissions>,
    /// Whether the account is activated and not deactivated.
    #[serde(rename = "is_active")]
    pub is_active: bool,
    /// When the employee was created.
    pub created_at: Millis,
    /// When the last invitation was requested.
    pub invited: Millis,
    /// The delivery of the last invitation. Left out once the account is activated, and while the
    /// employee is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<InvitationDelivery>)]
    pub invitation: Option<InvitationDelivery>,
    /// When the employee was deactivated; `null` if the employee is not deactivated.
    #[serde(rename = "deactivated_at")]
    #[schema(value_type = Option<i64>, example = json!(null))]
    pub deactivated_at: Option<Millis>,
    /// When the employee was deactivated, or 0 if the employee is not deactivated.
    #[schema(example = 0)]
    pub deactivated: Millis,
}

/// The permissions that the operating system of one computer gives the desktop app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemPermissions {
    /// The computer's name. An employee has one entry for each name. A name with control characters
    /// or more than 255 characters is changed to fit.
    #[serde(deserialize_with = "kept")]
    #[schema(value_type = String, example = "anns-mac")]
    pub computer: Label,
    /// The permissions on this computer.
    pub permissions: Permissions,
    /// When the entry was made, by the clock of the app or of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WholeSent>)]
    pub created_at: Option<Millis>,
    /// When the entry was last changed, by the clock of the app or of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WholeSent>)]
    pub updated_at: Option<Millis>,
}

/// The permissions that the desktop app requests from an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// The permission to see which window is in front.
    pub accessibility: Permission,
    /// The permission to take screenshots.
    pub screen_and_system_audio_recording: Permission,
}

/// The state of a permission in the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// The user has allowed it.
    Authorized,
    /// The user has refused it.
    Denied,
    /// The app has not requested it yet.
    Undetermined,
}

/// Creates an employee, and mails an invitation to the new employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateEmployee {
    /// The employee's name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The e-mail address. No other employee may have it; the case of letters does not matter.
    #[serde(deserialize_with = "given")]
    pub email: Email,
}

/// Requests one employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Requests all employees, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEmployees {
    /// The id of the last employee of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// The changes of an employee. Fields that are left out stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmployeeChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The new e-mail address.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Email, required = false)]
    pub email: Option<Email>,
    /// The new job title; `null` removes it.
    #[serde(default, deserialize_with = "given_nullable", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Label>)]
    pub title: Option<Option<Label>>,
}

/// Changes an employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
    /// What to change.
    pub changes: EmployeeChanges,
    /// Whether the service only checks if the change is possible, and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_check: bool,
}

/// Deactivates an employee: removes them from all projects and tasks, and revokes their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeactivateEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Reactivates an employee. The employee has no projects then, and logs in with the old password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Mails a new invitation to an employee. The link of the previous invitation no longer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Replaces the permissions of one computer of an employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPermissions {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The permissions of the computer.
    pub entry: SystemPermissions,
}

/// Requests the states of some employees. The reply leaves out ids that no employee has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployeeStates {
    /// The ids of the employees, at most 1,000.
    pub ids: Vec<EmployeeId>,
}

/// The state of an employee for other services: in which terms the employee was active, and the
/// epoch.
///
/// Each deactivation raises the epoch. Tokens and project memberships of earlier epochs are no
/// longer valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmployeeState {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The version of the employee that this state belongs to. A later change has a higher version.
    pub version: i64,
    /// How many times the employee has been deactivated so far.
    pub epoch: i64,
    /// When the employee was deactivated; none if the employee is not deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Millis>,
    /// The terms in which the employee was not deactivated, in order. Earlier versions do not send
    /// this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Vec<Term>>,
}

impl EmployeeState {
    /// The terms in which the employee was not deactivated. If `active` is missing, this is one
    /// term without a start, which ends when the employee was deactivated.
    pub fn active_terms(&self) -> Vec<Term> {
        self.active.clone().unwrap_or_else(|| vec![Term { from: None, until: self.deactivated_at }])
    }
}

/// Published when an employee was created or has changed. The event contains the new state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmployeeChanged(pub EmployeeState);

impl Event for EmployeeChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "employee";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Directory, Service::Projects, Service::Timetrack];

    fn aggregate(&self) -> String {
        self.0.id.to_string()
    }
}

/// Published when an invitation is to be mailed. The event contains no token: the mailer requests
/// one with [`crate::MintToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationRequested {
    /// The id of the invitation.
    pub invitation_id: InvitationId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The version of the employee when the invitation was requested. A later change has a higher
    /// version.
    pub version: i64,
}

impl Event for InvitationRequested {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "invitation";
    const VERB: &'static str = "requested";
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.invitation_id.to_string()
    }
}

requests! {
    Directory: CreateEmployee => Employee, "employees.create";
    Directory: GetEmployee => Employee, "employees.get", idempotent;
    Directory: ListEmployees => Page<Employee, EmployeeId>, "employees.list", idempotent;
    Directory: UpdateEmployee => Employee, "employees.update";
    Directory: DeactivateEmployee => Employee, "employees.deactivate";
    Directory: ReactivateEmployee => Employee, "employees.reactivate";
    Directory: InviteEmployee => Employee, "employees.invite";
    Directory: SetPermissions => Employee, "employees.set_permissions", idempotent;
    Directory: GetEmployeeStates => Vec<EmployeeState>, "employees.standings", idempotent;
}
