use std::sync::Arc;

use contracts::{Caller, Code, Failure, MintToken, MintedToken};
use kit::{Call, Error};

use crate::{
    App, WAIT,
    domain::{TokenHash, token_of},
};

/// Makes a token for the mail of an invitation, valid for 72 hours, and stores its hash. None when
/// the mail need not be sent any more.
pub(crate) async fn mint_token(app: Arc<App>, call: Call, request: MintToken) -> Result<Option<MintedToken>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only the mailer may do this.").into());
    }
    let (now, token) = (app.clock.now(), token_of(kit::random_bytes()));
    kit::change!(app.db.awaited(WAIT), tx => {
        let employee = app.store.employees.load(tx, request.employee_id).await?;
        let invitation = app.store.invitations.load(tx, request.invitation_id).await?;
        let (Some(employee), Some(mut invitation)) = (employee, invitation) else { return Ok(None) };
        if !invitation.is_open(&employee) {
            return Ok(None);
        }
        let expires_at = invitation.add_token(TokenHash::of(&token), now);
        app.store.invitations.save(tx, invitation).await?;
        Ok(Some(MintedToken { name: employee.name, email: employee.email, token: token.clone(), expires_at }))
    })
}
