use std::sync::Arc;

use contracts::{
    Caller, Code, EmployeeId, FACTS_AT_ONCE, FactSum, Failure, FindFacts, ListFacts, ListFactsOf, Page, SumFacts,
    WindowFact, WindowId,
};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::App;

/// Lists the facts of all windows, including voided ones, page by page. For services.
pub(crate) async fn list_facts(
    app: Arc<App>,
    call: Call,
    request: ListFacts,
) -> Result<Page<WindowFact, WindowId>, Error> {
    require_service(&call)?;
    let windows = app.store.windows.all(request.after).await?;
    Ok(kit::page_within(windows.map_ok(|window| window.fact()), |fact| fact.id).await?)
}

/// Lists the facts of an employee's windows that begin in a range, page by page. For services.
pub(crate) async fn list_facts_of(
    app: Arc<App>,
    call: Call,
    request: ListFactsOf,
) -> Result<Page<WindowFact, WindowId>, Error> {
    require_service(&call)?;
    let windows = app.store.windows.beginning(&request).await?;
    Ok(kit::page_within(windows.map_ok(|window| window.fact()), |fact| fact.id).await?)
}

/// Returns the facts of these windows. For services.
pub(crate) async fn find_facts(app: Arc<App>, call: Call, request: FindFacts) -> Result<Vec<WindowFact>, Error> {
    require_service(&call)?;
    if request.ids.len() > FACTS_AT_ONCE {
        return Err(Failure::field("ids", format!("must be at most {FACTS_AT_ONCE}")).into());
    }
    app.store.windows.facts(&request.ids).await
}

/// Returns the sums of windows for each employee and UTC month, page by page. For services.
pub(crate) async fn sum_facts(
    app: Arc<App>,
    call: Call,
    request: SumFacts,
) -> Result<Page<FactSum, EmployeeId>, Error> {
    require_service(&call)?;
    let employees = app.store.windows.next_employees(request.after).await?;
    let next = employees.last().copied();
    let items = app.store.windows.sums(&employees).await?;
    Ok(Page { items, next })
}

fn require_service(call: &Call) -> Result<(), Failure> {
    match call.caller {
        Caller::Service => Ok(()),
        _ => Err(Failure::new(Code::Forbidden, "Only services may do this.")),
    }
}
