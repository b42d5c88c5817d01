use std::sync::Arc;

use contracts::{Caller, Code, EmployeeId, Failure, ListManagers, Page, Resource, Role, Scope};
use kit::{Call, Error};

use crate::App;

/// Lists the employees who manage a team and may decide about the hours of its members.
pub(crate) async fn list_managers(
    app: Arc<App>,
    call: Call,
    request: ListManagers,
) -> Result<Page<EmployeeId, EmployeeId>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only services may do this.").into());
    }
    let decides = |role: &Role| role.scopes().allow(Scope::write(Resource::Periods));
    let roles: Vec<Role> = Role::ALL.into_iter().filter(decides).collect();
    kit::page_within(app.store.teams.managers(&roles, request.after).await?, |id| *id).await
}
