//! Teams: their managers and employees, and the requests to directory about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    EmployeeId, Event, Name, Page, ProjectId, Service, TeamId,
    given::{given, given_present},
    message::requests,
    present,
};

/// The maximum number of employees in one team.
pub const TEAM_MOST: usize = 1_000;
/// The maximum number of managers of one team.
pub const MANAGERS_MOST: usize = 100;
/// The maximum number of employees that the teams of one request have together, so that the ids of
/// the employees fit into the reply.
pub const TEAMS_MOST: usize = 10_000;

/// An id that no employee has. A request that should find nobody contains this id in its list of
/// employees, because an empty list would mean all employees.
pub const NOBODY: EmployeeId = EmployeeId(Uuid::nil());

/// A team, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// The team's id.
    pub id: TeamId,
    /// The team's name. No other team may have it; the case of letters does not matter.
    pub name: Name,
    /// The team's managers. If they have the role `manager`, they see the team's employees and
    /// decide about the hours of these employees.
    pub managers: Vec<EmployeeId>,
    /// The team's employees, deactivated ones included. An employee is in at most one team.
    pub employees: Vec<EmployeeId>,
}

/// Creates a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateTeam {
    /// The team's name. No other team may have it; the case of letters does not matter.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The team's managers; the default is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 100)]
    pub managers: Option<Vec<EmployeeId>>,
    /// The team's employees; the default is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
}

/// The changes of a team. Fields that are left out stay as they are. A list replaces the present
/// one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The team's managers.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 100)]
    pub managers: Option<Vec<EmployeeId>>,
    /// The team's employees.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
}

/// Requests one team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTeam {
    /// The id of the team.
    pub id: TeamId,
}

/// Requests all teams, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTeams {
    /// The id of the last team of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TeamId>,
}

/// Changes a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateTeam {
    /// The id of the team.
    pub id: TeamId,
    /// What to change.
    pub changes: TeamChanges,
}

/// Deletes a team. Its employees are in no team after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTeam {
    /// The id of the team.
    pub id: TeamId,
}

/// Requests the employees of some teams, ordered by employee id. A team that does not exist has no
/// employees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTeamMembers {
    /// The ids of the teams.
    pub teams: Vec<TeamId>,
}

/// Requests the teams of a manager, and the employees and projects of these teams. For services
/// only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReach {
    /// The id of the manager.
    pub manager: EmployeeId,
}

/// Requests the employees who manage a team and whose role lets them decide about pay periods,
/// ordered by id, page by page. For services only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListManagers {
    /// The id of the last manager of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// The teams of a manager, and their employees and projects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedTeams {
    /// The ids of the teams.
    pub teams: Vec<TeamId>,
    /// The ids of the employees of these teams.
    pub employees: Vec<EmployeeId>,
    /// The ids of the projects that these employees or the manager are on.
    pub projects: Vec<ProjectId>,
}

/// Published when a team was created, changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamChanged {
    /// The team after the change. If the team is deleted, its last state.
    #[serde(flatten)]
    pub team: Team,
    /// The version of the team. A later change has a higher version.
    pub version: i64,
    /// Whether the team is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Event for TeamChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "team";
    const VERB: &'static str = "changed";
    /// No service is awaited, because no service keeps a copy of teams.
    const AWAITED: &'static [Service] = &[];

    fn aggregate(&self) -> String {
        self.team.id.to_string()
    }
}

requests! {
    Directory: CreateTeam => Team, "teams.create";
    Directory: GetTeam => Team, "teams.get", idempotent;
    Directory: ListTeams => Page<Team, TeamId>, "teams.list", idempotent;
    Directory: UpdateTeam => Team, "teams.update";
    Directory: DeleteTeam => (), "teams.delete";
    Directory: GetTeamMembers => Vec<EmployeeId>, "teams.members", idempotent;
    Directory: GetReach => ManagedTeams, "teams.reach", idempotent;
    Directory: ListManagers => Page<EmployeeId, EmployeeId>, "teams.managers", idempotent;
}
