use std::sync::Arc;

use contracts::{DatedRate, Failure, GetRate};
use kit::{Call, Error};

use crate::App;

/// Returns a rate.
pub(crate) async fn get_rate(app: Arc<App>, call: Call, GetRate { id }: GetRate) -> Result<DatedRate, Error> {
    call.require_admin()?;
    app.store.rates.find(id).await?.ok_or_else(|| Failure::not_found("rate").into())
}
