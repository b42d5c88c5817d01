use contracts::{Actor, Code, Failure, Scopes};
use kit::{Call, Error};

use crate::{App, domain::Employee};

/// The scopes of the caller's API key or role. A caller may give nobody more scopes than these.
pub(super) async fn grants(app: &App, call: &Call) -> Result<Scopes, Error> {
    match call.actor {
        Some(Actor::Root) => Ok(Scopes::all()),
        Some(Actor::Key(id)) => {
            let key = app.store.api_keys.get(id).await?;
            Ok(key.map(|key| key.allows(app.clock.now())).unwrap_or_default())
        }
        Some(Actor::Person { employee, .. }) => {
            let employee = app.store.employees.get(employee).await?.filter(Employee::is_active);
            Ok(employee.map(|employee| employee.role.scopes()).unwrap_or_default())
        }
        Some(Actor::Service(_)) | None => {
            Err(Failure::new(Code::Forbidden, "Only people and keys may do this.").into())
        }
    }
}
