//! Teams: who is in which, who manages them, and what may be asked of directory about them.

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
/// The most employees of all teams that are asked about at once: their ids fit into a reply.
pub const TEAMS_MOST: usize = 10_000;

/// Whom a question is about that is about nobody: a list of no employees would be all of them.
pub const NOBODY: EmployeeId = EmployeeId(Uuid::nil());

/// A team, as the API shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// The team's id.
    pub id: TeamId,
    /// The name, which no other team has in any case of its letters.
    pub name: Name,
    /// Who manages it: with the role `manager` they see what concerns its employees, and decide about
    /// their hours.
    pub managers: Vec<EmployeeId>,
    /// Who is in it, the deactivated too. An employee is in one team at most.
    pub employees: Vec<EmployeeId>,
}

/// Creates a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateTeam {
    /// The name, which no other team has in any case of its letters.
    #[serde(deserialize_with = "given")]
    pub name: Name,
    /// Who manages it; nobody unless said otherwise.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 100)]
    pub managers: Option<Vec<EmployeeId>>,
    /// Who is in it; nobody unless said otherwise.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
}

/// What may be changed about a team. A list replaces what was there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TeamChanges {
    /// Another name.
    #[serde(default, deserialize_with = "given_present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Name, required = false)]
    pub name: Option<Name>,
    /// Who manages it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 100)]
    pub managers: Option<Vec<EmployeeId>>,
    /// Who is in it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashSet<EmployeeId>, required = false, max_items = 1_000)]
    pub employees: Option<Vec<EmployeeId>>,
}

/// Asks for one team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTeam {
    /// Which.
    pub id: TeamId,
}

/// Asks for all teams, page by page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTeams {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TeamId>,
}

/// Changes a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateTeam {
    /// Which.
    pub id: TeamId,
    /// What.
    pub changes: TeamChanges,
}

/// Deletes a team; its employees are in none then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTeam {
    /// Which.
    pub id: TeamId,
}

/// Asks who is in some teams, in the order of their ids; nobody is in a team that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetTeamMembers {
    /// In which.
    pub teams: Vec<TeamId>,
}

/// Asks what a manager manages: for services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetReach {
    /// Who.
    pub manager: EmployeeId,
}

/// Asks who manages a team and may decide about hours, in the order of their ids, page by page: for
/// services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListManagers {
    /// After this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EmployeeId>,
}

/// What a manager manages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedTeams {
    /// The teams.
    pub teams: Vec<TeamId>,
    /// Who is in them.
    pub employees: Vec<EmployeeId>,
    /// The projects that these and the manager are on.
    pub projects: Vec<ProjectId>,
}

/// A team was created, has changed or is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamChanged {
    /// The team as it is now, or last was.
    #[serde(flatten)]
    pub team: Team,
    /// Its version.
    pub version: i64,
    /// Whether it is deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Event for TeamChanged {
    const SERVICE: Service = Service::Directory;
    const NOUN: &'static str = "team";
    const VERB: &'static str = "changed";
    /// Nobody keeps a copy.
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
