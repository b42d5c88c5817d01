use std::sync::Arc;

use contracts::{Failure, GetTeam};
use kit::{Call, Error};

use crate::App;

/// Returns a team.
pub(crate) async fn get_team(app: Arc<App>, call: Call, request: GetTeam) -> Result<contracts::Team, Error> {
    call.require_admin()?;
    let team = app.store.teams.get(request.id).await?.ok_or_else(|| Failure::not_found("team"))?;
    Ok(team.shown())
}
