//! Filters by team, as the employees who are in it: the services know of no teams.

use contracts::{Caller, EmployeeId, Failure, Filter, GetTeamMembers, NOBODY, TeamId, Within};

use crate::{App, auth::Asker, extract::Params};

/// Of whom a question is: those whom `employeeId` names and who are in a team that `teamId` names, where
/// these are given. Without either there are none, which is everybody; where there is nobody like that,
/// it is [`NOBODY`].
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

/// The same for a list that employees may ask for too: of an employee it is their own.
pub(crate) async fn employees_or_own(app: &App, asker: &Asker, params: &Params) -> Result<Vec<EmployeeId>, Failure> {
    let employees = employees(app, asker, params).await?;
    Ok(asker.own().map_or(employees, |own| vec![own]))
}

/// Of whose time, on what, and in which shifts.
pub(crate) async fn filter(app: &App, asker: &Asker, params: &Params) -> Result<Filter, Failure> {
    Ok(Filter { employees: employees(app, asker, params).await?, ..params.filter()? })
}

/// The same as bounds of a list; none where neither is given.
pub(crate) async fn within(app: &App, asker: &Asker, params: &Params) -> Result<Option<Within>, Failure> {
    let employees = employees(app, asker, params).await?;
    Ok((!employees.is_empty()).then_some(Within { employees, manager: None }))
}
