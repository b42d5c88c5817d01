use std::sync::Arc;

use contracts::{Caller, Code, CountWaiting, Failure, Waiting};
use kit::{Call, Error};

use crate::App;

/// Counts the submitted periods and the undecided corrections of these employees, for the daily
/// mail to managers. For services.
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
