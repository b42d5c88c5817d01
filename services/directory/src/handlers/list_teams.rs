use std::sync::Arc;

use contracts::{ListTeams, Page, TeamId};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::{App, domain::Team};

/// Lists all teams in the order of their creation, as many as fit into a reply.
pub(crate) async fn list_teams(
    app: Arc<App>,
    call: Call,
    request: ListTeams,
) -> Result<Page<contracts::Team, TeamId>, Error> {
    call.require_admin()?;
    let teams = app.store.teams.list(request.after).await?;
    kit::page_within(teams.map_ok(Team::shown), |team| team.id).await
}
