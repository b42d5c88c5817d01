use std::sync::Arc;

use contracts::{Action, Code, Failure, LoggedIn, RefreshSession};
use kit::{Call, Error};

use super::sessions::{end, until_end_is_known};
use crate::{
    App, WAIT,
    domain::{RefreshToken, Reused, Session},
};

/// The outcome of a request with a refresh token.
enum Outcome {
    /// The token was valid.
    Taken(LoggedIn),
    /// The token was used before, so the request has ended the session.
    Reused(Session),
    /// The token is unknown, or its session is no longer valid.
    Refused,
}

/// Issues the next access token of a session, with a new refresh token.
///
/// Of two concurrent requests, the transaction of one conflicts, and finds the token used when it
/// runs again. That request then gets the same new refresh token.
///
/// The requests are not throttled: 512 bits cannot be guessed, and all clients that share a valid
/// token must get an answer.
pub(crate) async fn refresh_session(app: Arc<App>, _call: Call, request: RefreshSession) -> Result<LoggedIn, Error> {
    let shown = RefreshToken::read(&request.refresh_token).ok_or_else(invalid_token)?;
    let (family, salt, now) = (shown.family(), kit::random_bytes(), app.clock.now());
    let outcome = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.sessions.load_family(tx, &family).await?;
        let Some(mut session) = loaded else { return Ok(Outcome::Refused) };
        let employee = app.store.employees.load(tx, session.employee).await?;
        let Some(employee) = employee.filter(|employee| session.is_open(employee, now)) else {
            return Ok(Outcome::Refused);
        };
        match session.refresh(&shown, salt, now) {
            Ok(next) => {
                session.generation = employee.generation;
                session.token_seconds = request.token_seconds;
                app.store.sessions.save(tx, &session).await?;
                Ok(Outcome::Taken(employee.logged_in(Some(session.started(Some(next.text()))))))
            }
            Err(Reused) => {
                end(&app, tx, &mut session, Action::SessionReused).await?;
                Ok(Outcome::Reused(session))
            }
        }
    })?;
    match outcome {
        Outcome::Taken(logged_in) => Ok(logged_in),
        Outcome::Reused(session) => {
            tracing::warn!(session = %session.id, "a refresh token that was used up came again: its session has ended");
            until_end_is_known(&app, &session).await?;
            Err(invalid_token().into())
        }
        Outcome::Refused => Err(invalid_token().into()),
    }
}

fn invalid_token() -> Failure {
    Failure::new(Code::InvalidToken, "This refresh token is wrong, used or expired: log in again.")
}
