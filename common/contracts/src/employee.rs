//! Employees: who they are, and the requests to directory about them.

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
    /// The name.
    pub name: Name,
    /// The e-mail address; also the login name.
    pub email: Email,
    /// The id of the account.
    pub account_id: AccountId,
    /// Always `default-org`, for now.
    #[schema(example = "default-org")]
    pub organization_id: String,
    /// Whether the address was changed and its owner has not yet confirmed it by the link that was mailed there;
    /// left out when it is confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_unconfirmed: bool,
    /// The same as the e-mail address.
    pub identifier: Email,
    /// Always `personal`.
    #[serde(rename = "type")]
    #[schema(example = "personal")]
    pub kind: String,
    /// The job title.
    #[schema(value_type = Option<String>, example = "Engineer")]
    pub title: Option<Label>,
    /// The role: what the employee may do beyond their own account.
    #[serde(default)]
    pub role: Role,
    /// The team that the employee is in.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Option<TeamId>,
    /// The projects the employee is on.
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
    /// The delivery of that invitation; left out once the account is activated, and while the employee is
    /// deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<InvitationDelivery>)]
    pub invitation: Option<InvitationDelivery>,
    /// When the employee was deactivated.
    #[serde(rename = "deactivated_at")]
    #[schema(value_type = Option<i64>, example = json!(null))]
    pub deactivated_at: Option<Millis>,
    /// When the employee was deactivated, or 0.
    #[schema(example = 0)]
    pub deactivated: Millis,
}

/// What the operating system of one computer allows the desktop app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemPermissions {
    /// The computer's name, of which there is one entry. It is cleaned like the names in windows.
    #[serde(deserialize_with = "kept")]
    #[schema(value_type = String, example = "anns-mac")]
    pub computer: Label,
    /// The permissions.
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

/// The permissions that the desktop app asks an operating system for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// Seeing which window is in front.
    pub accessibility: Permission,
    /// Taking screenshots.
    pub screen_and_system_audio_recording: Permission,
}

/// Whether the operating system allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Allowed.
    Authorized,
    /// Refused.
    Denied,
    /// Not yet asked.
    Undetermined,
}

/// Creates an employee and mails an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateEmployee {
    /// The name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The e-mail address, which must be unique, whatever the case of its letters.
    #[serde(deserialize_with = "given")]
    pub email: Email,
}

/// Asks for one employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Asks for all employees, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEmployees {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// What may be changed about an employee.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmployeeChanges {
    /// Another name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// Another e-mail address.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Email, required = false)]
    pub email: Option<Email>,
    /// Another title; `null` clears it.
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
    /// Only checks whether the change is possible, and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_check: bool,
}

/// Deactivates an employee: removes them from all projects and tasks, and revokes their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeactivateEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Reactivates an employee, who has no project then and logs in with the old password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateEmployee {
    /// The id of the employee.
    pub id: EmployeeId,
}

/// Mails a new invitation. The link of the old one no longer works.
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

/// Asks for the states of some employees. The reply leaves out unknown ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployeeStates {
    /// The ids of the employees, at most 1,000.
    pub ids: Vec<EmployeeId>,
}

/// What other services need of an employee: whether they may be on projects and tasks.
///
/// Each deactivation raises the epoch. Tokens and memberships of earlier epochs no longer count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmployeeState {
    /// The id of the employee.
    pub id: EmployeeId,
    /// The version of the employee that had this state.
    pub version: i64,
    /// The number of times that the employee was deactivated.
    pub epoch: i64,
    /// When the employee was deactivated, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Millis>,
    /// The terms in which the employee was not deactivated, in order. Earlier versions do not send them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Vec<Term>>,
}

impl EmployeeState {
    /// The terms in which the employee was not deactivated, as far as they are known.
    pub fn active_terms(&self) -> Vec<Term> {
        self.active.clone().unwrap_or_else(|| vec![Term { from: None, until: self.deactivated_at }])
    }
}

/// An employee was created or has changed. It contains the new state.
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

/// An invitation is to be mailed. The event contains no token: the mailer asks for it ([`crate::MintToken`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationRequested {
    /// The id of the invitation.
    pub invitation_id: InvitationId,
    /// The id of the employee.
    pub employee_id: EmployeeId,
    /// The version of the employee with this invitation.
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
