use std::sync::Arc;

use contracts::{AccountChanged, ApiKeyChanged, Awaited, SessionEnded};
use kit::{Delivery, Error};

use crate::App;

/// Copies the state of an API key (its hash, what it allows, whether it is revoked) into the KV
/// bucket that gateways watch.
pub(crate) async fn api_key_changed(app: Arc<App>, _: Delivery, event: ApiKeyChanged) -> Result<Vec<Awaited>, Error> {
    app.revocations.keep(&ApiKeyChanged::entry_key(event.id), &event, |key| key.version).await?;
    Ok(Vec::new())
}

/// Copies the state of an account (the employee's role, and which older tokens are invalid) into
/// the KV bucket that gateways watch.
pub(crate) async fn account_changed(app: Arc<App>, _: Delivery, event: AccountChanged) -> Result<Vec<Awaited>, Error> {
    app.revocations.keep(&AccountChanged::entry_key(event.employee_id), &event, |account| account.version).await?;
    Ok(Vec::new())
}

/// Adds an entry about the end of a session to the KV bucket that gateways watch.
pub(crate) async fn session_ended(app: Arc<App>, _: Delivery, event: SessionEnded) -> Result<Vec<Awaited>, Error> {
    app.revocations.end_session(&event, app.clock.now()).await?;
    Ok(Vec::new())
}
