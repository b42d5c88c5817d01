//! Converts filters by team into lists of employees, because only directory knows the teams.

use contracts::{Caller, EmployeeId, Failure, Filter, GetTeamMembers, NOBODY, TeamId, Within};

use crate::{App, auth::Asker, extract::Params};

/// The employees that a request selects: those in `employeeId`, or in a team of `teamId`, or in
/// both if both parameters are given. The list is empty if neither is given, which means everybody.
/// The list is [`NOBODY`] if no employee matches.
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

/// As [`employees`], for lists that employees may read too. An employee always gets their own data.
pub(crate) async fn employees_or_own(app: &App, asker: &Asker, params: &Params) -> Result<Vec<EmployeeId>, Failure> {
    let employees = employees(app, asker, params).await?;
    Ok(asker.own().map_or(employees, |own| vec![own]))
}

/// The whole filter of a request, with teams converted into employees.
pub(crate) async fn filter(app: &App, asker: &Asker, params: &Params) -> Result<Filter, Failure> {
    Ok(Filter { employees: employees(app, asker, params).await?, ..params.filter()? })
}

/// The employees and teams of a request, as limits of a list; `None` if the request names neither.
pub(crate) async fn within(app: &App, asker: &Asker, params: &Params) -> Result<Option<Within>, Failure> {
    let employees = employees(app, asker, params).await?;
    Ok((!employees.is_empty()).then_some(Within { employees, manager: None }))
}
