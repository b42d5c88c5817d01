use std::{sync::Arc, time::Duration};

use contracts::{Caller, Code, EmployeeId, Failure, ListStandings, Page, Standing};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::App;

/// How long to wait until the stream has all events about a page.
const WAIT: Duration = Duration::from_secs(2);

/// Gives the state of all employees, page by page, each once the stream has all events about it.
pub(crate) async fn list_standings(
    app: Arc<App>,
    call: Call,
    ListStandings { after }: ListStandings,
) -> Result<Page<Standing, EmployeeId>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only services may do this.").into());
    }
    let employees = app.store.employees.list(after, None).await?;
    let page = kit::page_within(employees.map_ok(|employee| employee.standing()), |standing| standing.id).await?;
    app.db.until_published(WAIT).await?;
    Ok(page)
}
