use std::sync::Arc;

use contracts::{EmployeeId, Failure, GetReach, GetTeamMembers, ManagedTeams, TEAMS_MOST};
use kit::{Call, Error};

use crate::App;

/// Returns the ids of the members of these teams.
pub(crate) async fn get_team_members(
    app: Arc<App>,
    call: Call,
    request: GetTeamMembers,
) -> Result<Vec<EmployeeId>, Error> {
    call.require_admin()?;
    let members = app.store.teams.members(&request.teams, TEAMS_MOST).await?;
    require_few(members.len())?;
    Ok(members)
}

/// Returns the teams that a manager manages, the employees of these teams, and the projects of
/// these employees and of the manager.
pub(crate) async fn get_reach(app: Arc<App>, call: Call, request: GetReach) -> Result<ManagedTeams, Error> {
    call.require_admin()?;
    let managed = app.store.teams.managed_by(request.manager).await?;
    require_few(managed.employees.len())?;
    Ok(managed)
}

fn require_few(employees: usize) -> Result<(), Failure> {
    let must = format!("must be teams with at most {TEAMS_MOST} employees in all");
    if employees > TEAMS_MOST { Err(Failure::field("teamId", must)) } else { Ok(()) }
}
