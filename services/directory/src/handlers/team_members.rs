use std::collections::BTreeSet;

use contracts::{Code, EmployeeId, Failure, FieldError};
use kit::{Error, Tx};

use crate::{App, domain::Team, store::Candidate};

/// Makes exactly these employees the members of a team. Members may stay although they are
/// deactivated.
///
/// # Errors
/// 400 when a new member does not exist or is deactivated, 409 when a new member is in another
/// team.
pub(super) async fn set_members(
    app: &App,
    tx: &mut Tx<'_>,
    was: &BTreeSet<EmployeeId>,
    team: &Team,
) -> Result<(), Error> {
    let new = require_active(app, tx, "employees", team.employees.difference(was)).await?;
    if new.iter().any(|candidate| candidate.team.is_some_and(|other| other != team.id)) {
        let detail = "One of the employees is in another team. Take them out of that one first.";
        let must = "must be in no other team";
        return Err(refused(Code::InOtherTeam, detail, "employees", must).into());
    }
    if !new.is_empty() {
        app.store.teams.put_into(tx, new.iter().map(|candidate| &candidate.id), Some(team.id)).await?;
    }
    if was.difference(&team.employees).next().is_some() {
        app.store.teams.put_into(tx, was.difference(&team.employees), None).await?;
    }
    Ok(())
}

/// Refuses new managers who do not exist or are deactivated.
///
/// # Errors
/// 400.
pub(super) async fn check_managers(
    app: &App,
    tx: &mut Tx<'_>,
    was: &BTreeSet<EmployeeId>,
    team: &Team,
) -> Result<(), Error> {
    require_active(app, tx, "managers", team.managers.difference(was)).await.map(drop)
}

async fn require_active(
    app: &App,
    tx: &mut Tx<'_>,
    field: &str,
    ids: impl Iterator<Item = &EmployeeId> + Clone,
) -> Result<Vec<Candidate>, Error> {
    if ids.clone().next().is_none() {
        return Ok(Vec::new());
    }
    let found = app.store.teams.candidates(tx, ids.clone()).await?;
    if found.len() < ids.count() {
        let detail = "One of the employees does not exist. Create them first.";
        return Err(refused(Code::UnknownEmployee, detail, field, "must be employees").into());
    }
    if found.iter().any(Candidate::is_deactivated) {
        let detail = "One of the employees is deactivated. Reactivate them first, or leave them out.";
        return Err(refused(Code::EmployeeDeactivated, detail, field, "must not be deactivated").into());
    }
    Ok(found)
}

fn refused(code: Code, detail: &str, field: &str, must: &str) -> Failure {
    let errors = vec![FieldError { field: field.to_owned(), message: must.to_owned() }];
    Failure { errors, ..Failure::new(code, detail) }
}

/// Turns a duplicate key into the failure `NameTaken`: a change of a team can violate no other
/// unique key.
pub(super) fn name_taken(error: Error) -> Error {
    match error {
        Error::Mongo(error) if kit::mongo::is_duplicate(&error) => {
            refused(Code::NameTaken, "Another team has this name.", "name", "must be the name of no other team").into()
        }
        error => error,
    }
}
