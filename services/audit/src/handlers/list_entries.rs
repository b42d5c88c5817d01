use std::sync::Arc;

use contracts::{AuditEntry, ListAuditEntries, Page};
use kit::{Call, Error};

use crate::App;

/// Lists the entries of the trail that match the request, page by page, the newest first. Admins
/// only.
pub(crate) async fn list_entries(
    app: Arc<App>,
    call: Call,
    request: ListAuditEntries,
) -> Result<Page<AuditEntry, i64>, Error> {
    call.require_admin()?;
    app.store.chain.list(&request).await
}
