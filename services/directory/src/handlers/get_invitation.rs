use std::sync::Arc;

use contracts::{GetInvitation, Invitation};
use kit::{Call, Error};

use crate::{App, domain::TokenHash};

/// Says what the token of an invitation can be used for. This changes nothing, because mail
/// scanners follow links.
pub(crate) async fn get_invitation(app: Arc<App>, _call: Call, request: GetInvitation) -> Result<Invitation, Error> {
    let token = TokenHash::of(&request.token);
    let Some(invitation) = app.store.invitations.with_token(&token).await? else { return Ok(Invitation::Unknown) };
    let Some(employee) = app.store.employees.get(invitation.employee).await? else { return Ok(Invitation::Unknown) };
    Ok(invitation.look_at(&token, &employee, app.clock.now()))
}
