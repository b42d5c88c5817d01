use std::sync::Arc;

use contracts::{Action, AuditSubject, Conditional, DeleteTeam, Failure, deleted};
use kit::{Call, Error};

use crate::{App, WAIT};

/// Deletes a team. Its employees have no team afterwards.
pub(crate) async fn delete_team(
    app: Arc<App>,
    call: Call,
    Conditional { change: request, if_match }: Conditional<DeleteTeam>,
) -> Result<(), Error> {
    call.require_admin()?;
    kit::change!(app.db.awaited(WAIT), tx => {
        let team = app.store.teams.load(tx, request.id).await?.ok_or_else(|| Failure::not_found("team"))?;
        if_match.require(|| team.clone().shown().tag())?;
        app.store.teams.delete(tx, team.id).await?;
        if !team.employees.is_empty() {
            app.store.teams.put_into(tx, &team.employees, None).await?;
        }
        tx.emit(&team.deleted()).await?;
        tx.audit(Action::TeamDeleted, AuditSubject::new("team", team.id), deleted(&team.shown())).await
    })
}
