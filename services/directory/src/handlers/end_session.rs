use std::sync::Arc;

use contracts::{Action, EndSession, Failure};
use kit::{Call, Error};

use super::sessions::{end, own, until_end_is_known};
use crate::{App, WAIT};

/// Ends a session of the caller. The answer is 404 for a session of another employee, and for an
/// ended session.
pub(crate) async fn end_session(app: Arc<App>, call: Call, request: EndSession) -> Result<(), Error> {
    let (employee, _) = own(&call)?;
    let not_found = || Failure::not_found("session");
    let (session, was_open) = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.sessions.load(tx, request.id).await?;
        let mut session = loaded.filter(|session| session.employee == employee).ok_or_else(not_found)?;
        let is_open = session.ended_at.is_none();
        if is_open {
            end(&app, tx, &mut session, Action::SessionEnded).await?;
        }
        Ok((session, is_open))
    })?;
    // A client that got no answer repeats the request. The answer 404, too, must mean that no
    // gateway accepts the session.
    until_end_is_known(&app, &session).await?;
    if was_open { Ok(()) } else { Err(not_found().into()) }
}
