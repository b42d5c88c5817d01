use std::sync::Arc;

use contracts::{AccountChanged, ApiKeyChanged, Awaited, SessionEnded};
use kit::{Delivery, Error};

use crate::App;

/// Publishes to gateways what a key allows, or that it has ended.
pub(crate) async fn api_key_changed(app: Arc<App>, _: Delivery, event: ApiKeyChanged) -> Result<Vec<Awaited>, Error> {
    app.revocations.keep(&ApiKeyChanged::entry_key(event.id), &event, |key| key.version).await?;
    Ok(Vec::new())
}

/// Publishes to gateways an employee's role, and which older tokens are invalid.
pub(crate) async fn account_changed(app: Arc<App>, _: Delivery, event: AccountChanged) -> Result<Vec<Awaited>, Error> {
    app.revocations.keep(&AccountChanged::entry_key(event.employee_id), &event, |account| account.version).await?;
    Ok(Vec::new())
}

/// Publishes to gateways that a session has ended.
pub(crate) async fn session_ended(app: Arc<App>, _: Delivery, event: SessionEnded) -> Result<Vec<Awaited>, Error> {
    app.revocations.end_session(&event, app.clock.now()).await?;
    Ok(Vec::new())
}
