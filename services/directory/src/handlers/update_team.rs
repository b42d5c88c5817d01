use std::sync::Arc;

use contracts::{Action, AuditSubject, Conditional, Failure, UpdateTeam};
use kit::{Call, Error};

use super::{check_managers, name_taken, set_members};
use crate::{App, WAIT};

/// Changes the name, managers or members of a team.
pub(crate) async fn update_team(
    app: Arc<App>,
    call: Call,
    Conditional { change: request, if_match }: Conditional<UpdateTeam>,
) -> Result<contracts::Team, Error> {
    call.require_admin()?;
    let team = kit::change!(app.db.awaited(WAIT), tx => {
        let was = app.store.teams.load(tx, request.id).await?.ok_or_else(|| Failure::not_found("team"))?;
        if_match.require(|| was.clone().shown().tag())?;
        let mut team = was.clone();
        team.update(request.changes.clone())?;
        app.store.teams.save(tx, &team).await?;
        check_managers(&app, tx, &was.managers, &team).await?;
        set_members(&app, tx, &was.employees, &team).await?;
        tx.emit(&team.changed()).await?;
        let changes = contracts::changed(&was.shown(), &team.clone().shown());
        tx.audit(Action::TeamUpdated, AuditSubject::new("team", team.id), changes).await?;
        Ok(team)
    })
    .map_err(name_taken)?;
    Ok(team.shown())
}
