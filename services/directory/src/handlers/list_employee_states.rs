use std::{sync::Arc, time::Duration};

use contracts::{Caller, Code, EmployeeId, EmployeeState, Failure, ListEmployeeStates, Page};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::App;

/// How long to wait until the stream EVENTS has all events about a page.
const WAIT: Duration = Duration::from_secs(2);

/// Returns the states of all employees, page by page. Each page is returned once the stream EVENTS
/// has all events about it.
pub(crate) async fn list_employee_states(
    app: Arc<App>,
    call: Call,
    ListEmployeeStates { after }: ListEmployeeStates,
) -> Result<Page<EmployeeState, EmployeeId>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only services may do this.").into());
    }
    let employees = app.store.employees.list(after, None).await?;
    let page =
        kit::page_within(employees.map_ok(|employee| employee.state()), |employee_state| employee_state.id).await?;
    app.db.until_published(WAIT).await?;
    Ok(page)
}
