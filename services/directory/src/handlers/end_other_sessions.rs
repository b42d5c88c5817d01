use std::sync::Arc;

use contracts::{Action, AuditSubject, EmployeeId, EndOtherSessions, Failure, SessionId};
use kit::{Call, Error};

use super::{
    save,
    sessions::{end_sessions, own},
    until_account_is_known,
};
use crate::{App, WAIT};

/// Ends all sessions of the caller except the session of this request.
pub(crate) async fn end_other_sessions(app: Arc<App>, call: Call, _: EndOtherSessions) -> Result<(), Error> {
    let (employee, session) = own(&call)?;
    end_all_but(&app, employee, session).await
}

/// Ends all sessions of an employee except one, and records that in the audit trail.
pub(super) async fn end_all_but(app: &App, id: EmployeeId, except: Option<SessionId>) -> Result<(), Error> {
    let employee = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.employees.load(tx, id).await?;
        let mut employee = loaded.ok_or_else(|| Failure::not_found("employee"))?;
        end_sessions(app, tx, &mut employee, except).await?;
        save(app, tx, &employee).await?;
        tx.audit(Action::SessionsEnded, AuditSubject::new("employee", id), None).await?;
        Ok(employee)
    })?;
    until_account_is_known(app, &employee).await
}
