use std::{collections::BTreeSet, sync::Arc};

use contracts::{Action, AuditSubject, CreateTeam, created};
use kit::{Call, Error};

use super::{check_managers, name_taken, set_members};
use crate::{App, WAIT, domain::Team};

/// Creates a team.
pub(crate) async fn create_team(app: Arc<App>, call: Call, request: CreateTeam) -> Result<contracts::Team, Error> {
    call.require_admin()?;
    let (team, nobody) = (Team::create(kit::new_id(), request)?, BTreeSet::new());
    kit::change!(app.db.awaited(WAIT), tx => {
        app.store.teams.insert(tx, &team).await?;
        check_managers(&app, tx, &nobody, &team).await?;
        set_members(&app, tx, &nobody, &team).await?;
        tx.emit(&team.changed()).await?;
        tx.audit(Action::TeamCreated, AuditSubject::new("team", team.id), created(&team.clone().shown())).await
    })
    .map_err(name_taken)?;
    Ok(team.shown())
}
