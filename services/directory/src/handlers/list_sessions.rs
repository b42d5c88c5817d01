use std::sync::Arc;

use contracts::{Failure, ListSessions, Session};
use kit::{Call, Error};

use super::sessions::own;
use crate::App;

/// Lists the valid sessions of the caller.
pub(crate) async fn list_sessions(app: Arc<App>, call: Call, _: ListSessions) -> Result<Vec<Session>, Error> {
    let (employee, current) = own(&call)?;
    let employee = app.store.employees.get(employee).await?.ok_or_else(|| Failure::not_found("employee"))?;
    let (sessions, now) = (app.store.sessions.list(employee.id).await?, app.clock.now());
    let open = sessions.into_iter().filter(|session| session.is_open(&employee, now));
    Ok(open.map(|session| session.shown(current)).collect())
}
