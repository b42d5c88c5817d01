//! Functions that end sessions.

use contracts::{Action, Actor, AuditSubject, Caller, Code, EmployeeId, Failure, SessionEnded, SessionId, deleted};
use kit::{Call, Error, Tx};

use crate::{
    App,
    domain::{Employee, Session},
};

/// The employee who makes the request, and the session of the request. The session is None for a
/// token from before sessions existed.
pub(super) fn own(call: &Call) -> Result<(EmployeeId, Option<SessionId>), Failure> {
    let Caller::Employee(employee) = call.caller else {
        return Err(Failure::new(Code::Forbidden, "Only people have sessions."));
    };
    match call.actor {
        Some(Actor::Person { employee: actor, session }) if actor == employee => Ok((employee, session)),
        _ => Ok((employee, None)),
    }
}

/// Ends all sessions of an employee except one, as part of a change with its own audit entry.
/// Afterwards the caller must save the employee. After the commit the caller must call
/// `until_account_is_known`, which waits until no gateway accepts the tokens any more.
pub(super) async fn end_sessions(
    app: &App,
    tx: &mut Tx<'_>,
    employee: &mut Employee,
    except: Option<SessionId>,
) -> Result<(), Error> {
    employee.end_sessions(except);
    app.store.sessions.end_all(tx, employee.id, except, app.clock.now()).await?;
    tx.emit(&employee.account_changed()).await
}

/// Ends a session, and records the reason `why` in the audit trail.
pub(super) async fn end(app: &App, tx: &mut Tx<'_>, session: &mut Session, why: Action) -> Result<(), Error> {
    session.end(app.clock.now());
    app.store.sessions.save(tx, session).await?;
    tx.emit(&session.ended()).await?;
    tx.audit(why, AuditSubject::new("employee", session.employee), deleted(&session.shown(None))).await
}

/// Writes the end of a session into the KV bucket that gateways watch, as the consumer of the event
/// about the session also does. Waits until no gateway accepts a token of the session.
pub(super) async fn until_end_is_known(app: &App, session: &Session) -> Result<(), Error> {
    let ended = session.ended();
    if let Some(revision) = app.revocations.end_session(&ended, app.clock.now()).await? {
        app.revocations.until_all_know(&SessionEnded::entry_key(ended.session_id), revision).await;
    }
    Ok(())
}
