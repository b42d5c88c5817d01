use std::sync::Arc;

use contracts::{Caller, Code, CountWaiting, Failure, Waiting};
use kit::{Call, Error};

use crate::App;

/// How much that belongs to some employees waits for somebody to decide: for the mail that tells managers.
pub(crate) async fn count_waiting(
    app: Arc<App>,
    call: Call,
    CountWaiting { employees }: CountWaiting,
) -> Result<Waiting, Error> {
    if call.caller != Caller::Service {
        return Err(Failure::new(Code::Forbidden, "Only services may do this.").into());
    }
    let periods = app.store.periods.count_submitted(&employees).await?;
    let corrections = app.store.corrections.count_asked(&employees).await?;
    Ok(Waiting { periods, corrections })
}
