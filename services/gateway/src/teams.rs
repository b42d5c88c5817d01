//! Filters by team, as lists of employees: only directory knows teams.

use contracts::{Caller, EmployeeId, Failure, Filter, GetTeamMembers, NOBODY, TeamId, Within};

use crate::{App, auth::Asker, extract::Params};

/// The employees of a request: those in `employeeId` who are also in a team of `teamId`. An empty list means
/// everybody, if neither is given. If nobody matches, the list is [`NOBODY`].
pub(crate) async fn employees(app: &App, asker: &Asker, params: &Params) -> Result<Vec<EmployeeId>, Failure> {
    let employees: Vec<EmployeeId> = params.ids("employeeId")?;
    let teams: Vec<TeamId> = params.ids("teamId")?;
    asker.require_sight_of(&employees, &teams)?;
    if teams.is_empty() {
        return Ok(employees);
    }
    let mut members = app.ask(Caller::Service, &GetTeamMembers { teams }).await?;
    if !employees.is_empty() {
        members.retain(|member| employees.contains(member));
    }
    Ok(if members.is_empty() { vec![NOBODY] } else { members })
}

/// The ids that a filter by team means, for a list that employees may read too: an employee gets their own.
pub(crate) async fn employees_or_own(app: &App, asker: &Asker, params: &Params) -> Result<Vec<EmployeeId>, Failure> {
    let employees = employees(app, asker, params).await?;
    Ok(asker.own().map_or(employees, |own| vec![own]))
}

/// The filter of a request.
pub(crate) async fn filter(app: &App, asker: &Asker, params: &Params) -> Result<Filter, Failure> {
    Ok(Filter { employees: employees(app, asker, params).await?, ..params.filter()? })
}

/// The employees and teams of a request as limits of a list; none if the request names neither.
pub(crate) async fn within(app: &App, asker: &Asker, params: &Params) -> Result<Option<Within>, Failure> {
    let employees = employees(app, asker, params).await?;
    Ok((!employees.is_empty()).then_some(Within { employees, manager: None }))
}
