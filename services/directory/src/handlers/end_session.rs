use std::sync::Arc;

use contracts::{Action, EndSession, Failure};
use kit::{Call, Error};

use super::sessions::{end, own, until_end_is_known};
use crate::{App, WAIT};

/// Ends a session of whoever asks. Another's is not found, nor is one that has ended already.
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
    // Whoever was not answered the first time asks again, and is to rely on the answer as much.
    until_end_is_known(&app, &session).await?;
    if was_open { Ok(()) } else { Err(not_found().into()) }
}
