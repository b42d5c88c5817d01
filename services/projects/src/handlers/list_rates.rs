use std::sync::Arc;

use contracts::{DatedRate, ListRates, Page, RateId};
use kit::{Call, Error};

use crate::App;

/// Lists rates, page by page.
pub(crate) async fn list_rates(app: Arc<App>, call: Call, list: ListRates) -> Result<Page<DatedRate, RateId>, Error> {
    call.require_admin()?;
    let tasks = match list.projects.is_empty() {
        true => Vec::new(),
        false => app.store.tasks.ids_of(&list.projects).await?,
    };
    app.store.rates.list(&list, &tasks).await
}
