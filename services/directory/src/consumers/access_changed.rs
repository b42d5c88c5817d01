use std::sync::Arc;

use contracts::{AccountChanged, ApiKeyChanged, Awaited, SessionEnded};
use kit::{Delivery, Error};

use crate::App;

/// Writes into the bucket that gateways watch what an API key allows, or that the key is revoked.
pub(crate) async fn api_key_changed(app: Arc<App>, _: Delivery, event: ApiKeyChanged) -> Result<Vec<Awaited>, Error> {
    app.revocations.keep(&ApiKeyChanged::entry_key(event.id), &event, |key| key.version).await?;
    Ok(Vec::new())
}

/// Writes into the bucket that gateways watch an employee's role, and which older tokens are
/// invalid.
pub(crate) async fn account_changed(app: Arc<App>, _: Delivery, event: AccountChanged) -> Result<Vec<Awaited>, Error> {
    app.revocations.keep(&AccountChanged::entry_key(event.employee_id), &event, |account| account.version).await?;
    Ok(Vec::new())
}

/// Writes into the bucket that gateways watch that a session has ended.
pub(crate) async fn session_ended(app: Arc<App>, _: Delivery, event: SessionEnded) -> Result<Vec<Awaited>, Error> {
    app.revocations.end_session(&event, app.clock.now()).await?;
    Ok(Vec::new())
}
