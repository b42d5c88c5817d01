use std::sync::Arc;

use contracts::{Caller, Code, Failure, ListFacts, Page, WindowFact, WindowId};
use futures::TryStreamExt;
use kit::{Call, Error};

use crate::App;

/// What all windows count for, voided ones too, page by page: for services.
pub(crate) async fn list_facts(
    app: Arc<App>,
    call: Call,
    request: ListFacts,
) -> Result<Page<WindowFact, WindowId>, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only services may do this.").into());
    }
    let windows = app.store.windows.all(request.after).await?;
    Ok(kit::page_within(windows.map_ok(|window| window.fact()), |fact| fact.id).await?)
}
