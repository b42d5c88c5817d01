use std::sync::Arc;

use contracts::{Action, EndSession, Failure};
use kit::{Call, Error};

use super::sessions::{end, own, until_end_is_known};
use crate::{App, WAIT};

/// Ends a session of the caller. Sessions of others, and ended ones, are answered 404.
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
    // The client repeats a request whose answer was lost, and must be able to rely on this one as well.
    until_end_is_known(&app, &session).await?;
    if was_open { Ok(()) } else { Err(not_found().into()) }
}
