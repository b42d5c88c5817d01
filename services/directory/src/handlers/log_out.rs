use std::sync::Arc;

use contracts::{Action, LogOut};
use kit::{Call, Error};

use super::{
    end_other_sessions::end_all_but,
    sessions::{end, own, until_end_is_known},
};
use crate::{App, WAIT};

/// Ends the session of the request. A token from before sessions existed cannot be ended alone, so
/// a request with such a token ends all tokens of the caller.
pub(crate) async fn log_out(app: Arc<App>, call: Call, _: LogOut) -> Result<(), Error> {
    let (employee, session) = own(&call)?;
    let Some(id) = session else { return end_all_but(&app, employee, None).await };
    let session = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.sessions.load(tx, id).await?;
        let Some(mut session) = loaded.filter(|session| session.employee == employee) else { return Ok(None) };
        if session.ended_at.is_none() {
            end(&app, tx, &mut session, Action::SessionEnded).await?;
        }
        Ok(Some(session))
    })?;
    match session {
        Some(session) => until_end_is_known(&app, &session).await,
        None => Ok(()),
    }
}
