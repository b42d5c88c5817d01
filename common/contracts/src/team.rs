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

/// The most employees of one team.
pub const TEAM_MOST: usize = 1_000;
/// The most managers of one team.
pub const MANAGERS_MOST: usize = 100;
/// The most employees of all teams in one request, so that their ids fit into a reply.
pub const TEAMS_MOST: usize = 10_000;

/// An id that no employee has, for a request that must find nobody: an empty list of employees would mean all of
/// them.
pub const NOBODY: EmployeeId = EmployeeId(Uuid::nil());

/// A team, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// The team's id.
    pub id: TeamId,
    /// The name, which must be unique, whatever the case of its letters.
    pub name: Name,
    /// The managers. With the role `manager` they see the team's employees and decide about their hours.
    pub managers: Vec<EmployeeId>,
    /// The employees, also deactivated ones. An employee is in one team at most.
    pub employees: Vec<EmployeeId>,
}

/// Creates a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateTeam {
    /// The name, which must be unique, whatever the case of its letters.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// The managers; the default is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 100)]
    pub managers: Option<Vec<EmployeeId>>,
    /// The employees; the default is none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
}

/// The changes of a team. A list replaces the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamChanges {
    /// The new name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// The managers.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 100)]
    pub managers: Option<Vec<EmployeeId>>,
    /// The employees.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
}

/// Asks for one team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTeam {
    /// The id of the team.
    pub id: TeamId,
}

/// Asks for all teams, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTeams {
    /// The last one of the previous page; left out for the first page.
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

/// Deletes a team. Its employees are then in no team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTeam {
    /// The id of the team.
    pub id: TeamId,
}

/// Asks for the employees of some teams, in the order of their ids. An unknown team has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTeamMembers {
    /// The ids of the teams.
    pub teams: Vec<TeamId>,
}

/// Asks for the teams of a manager, and their employees and projects: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReach {
    /// The id of the manager.
    pub manager: EmployeeId,
}

/// Asks for the employees who manage a team and have the role for it, in the order of their ids, page by page: for
/// services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListManagers {
    /// The last one of the previous page; left out for the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// The teams of a manager, and their employees and projects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedTeams {
    /// The teams.
    pub teams: Vec<TeamId>,
    /// The employees of these teams.
    pub employees: Vec<EmployeeId>,
    /// The projects of these employees and of the manager.
    pub projects: Vec<ProjectId>,
}

/// A team was created, changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamChanged {
    /// The team; if it is deleted, as it last was.
    #[serde(flatten)]
    pub team: Team,
    /// The version of the team.
    pub version: i64,
    /// Whether it is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Event for TeamChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "team";
    const VERB: &'static str = "changed";
    /// No service keeps a copy.
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
