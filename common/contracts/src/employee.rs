//! Employees: who they are, and what may be asked of directory about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AccountId, Email, EmployeeId, Event, InvitationDelivery, InvitationId, Label, Millis, Name, Page, ProjectId, Role,
    Service, TeamId, Term, WholeSent,
    given::{given, given_nullable, given_present},
    kept::kept,
    message::requests,
};

/// An employee, as the API shows one.
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
    /// Whether the address was changed and is not confirmed yet, by the link that was mailed there; left
    /// out where it is.
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
    /// What the employee may do beyond their own account.
    #[serde(default)]
    pub role: Role,
    /// The team that the employee is in.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Option<TeamId>,
    /// The projects the employee is on.
    pub projects: Vec<ProjectId>,
    /// What the desktop app may do, one entry a computer.
    pub system_permissions: Vec<SystemPermissions>,
    /// Whether the account is activated and not deactivated.
    #[serde(rename = "is_active")]
    pub is_active: bool,
    /// When the employee was created.
    pub created_at: Millis,
    /// When the last invitation was asked for.
    pub invited: Millis,
    /// How the mail of that invitation stands; left out once the account is activated, and while the
    /// employee is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<InvitationDelivery>)]
    pub invitation: Option<InvitationDelivery>,
    /// When the employee was deactivated.
    #[serde(rename = "deactivated_at")]
    #[schema(value_type = Option<i64>, example = json!(null))]
    pub deactivated_at: Option<Millis>,
    /// The same, as 0 or milliseconds.
    #[schema(example = 0)]
    pub deactivated: Millis,
}

/// What the operating system of one computer allows the desktop app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemPermissions {
    /// The computer's name: one entry for each. It is made to fit as those of windows are.
    #[serde(deserialize_with = "kept")]
    #[schema(value_type = String, example = "anns-mac")]
    pub computer: Label,
    /// The permissions.
    pub permissions: Permissions,
    /// When the entry was made, by the app's clock or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WholeSent>)]
    pub created_at: Option<Millis>,
    /// When the entry was last changed, by the app's clock or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WholeSent>)]
    pub updated_at: Option<Millis>,
}

/// The permissions that the desktop app asks an operating system for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// To see which window is in front.
    pub accessibility: Permission,
    /// To take screenshots.
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

/// Creates an employee, and has an invitation mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateEmployee {
    /// The name.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The e-mail address, which nobody else has in any case of its letters.
    #[serde(deserialize_with = "given")]
    pub email: Email,
}

/// Asks for one employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetEmployee {
    /// Whom.
    pub id: EmployeeId,
}

/// Asks for all employees, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEmployees {
    /// After this one.
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
    /// Whom.
    pub id: EmployeeId,
    /// What.
    pub changes: EmployeeChanges,
    /// Only says whether it could be changed so, and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_check: bool,
}

/// Deactivates an employee: off every project and task, tokens dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeactivateEmployee {
    /// Whom.
    pub id: EmployeeId,
}

/// Takes a deactivation back: on no project, logs in with the old password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateEmployee {
    /// Whom.
    pub id: EmployeeId,
}

/// Has a new invitation mailed; the older link is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteEmployee {
    /// Whom.
    pub id: EmployeeId,
}

/// Puts one computer's permissions on an employee, in place of what it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPermissions {
    /// Whose.
    pub id: EmployeeId,
    /// What.
    pub entry: SystemPermissions,
}

/// Asks how some employees stand; unknown ones are left out of the reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetStandings {
    /// Of whom: at most 1,000.
    pub ids: Vec<EmployeeId>,
}

/// Whether an employee may be on anything.
///
/// Each deactivation raises the epoch: what was bound to the employee in an older epoch, a
/// token or a membership, is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Of whom.
    pub id: EmployeeId,
    /// The version of the employee that says so.
    pub version: i64,
    /// How often the employee was deactivated.
    pub epoch: i64,
    /// Since when the employee is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Millis>,
    /// When the employee was not deactivated, in order. Earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Vec<Term>>,
}

impl Standing {
    /// When the employee was not deactivated, as far as is known.
    pub fn active_terms(&self) -> Vec<Term> {
        self.active.clone().unwrap_or_else(|| vec![Term { from: None, until: self.deactivated_at }])
    }
}

/// An employee was created or has changed; how the employee stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmployeeChanged(pub Standing);

impl Event for EmployeeChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "employee";
    const VERB: &'static str = "changed";
    const AWAITED: &'static [Service] = &[Service::Directory, Service::Projects, Service::Timetrack];

    fn aggregate(&self) -> String {
        self.0.id.to_string()
    }
}

/// Somebody is to be invited by mail. Holds no token: the mailer asks for it ([`crate::MintToken`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationRequested {
    /// Which invitation.
    pub invitation_id: InvitationId,
    /// Of whom.
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
    Directory: GetStandings => Vec<Standing>, "employees.standings", idempotent;
}
