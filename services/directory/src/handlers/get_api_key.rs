use std::sync::Arc;

use contracts::{Failure, GetApiKey};
use kit::{Call, Error};

use crate::App;

/// Returns an API key that is not revoked, without its text.
pub(crate) async fn get_api_key(app: Arc<App>, call: Call, request: GetApiKey) -> Result<contracts::ApiKey, Error> {
    call.require_admin()?;
    let key = app.store.api_keys.get(request.id).await?.filter(|key| key.revoked_at.is_none());
    Ok(key.ok_or_else(|| Failure::not_found("API key"))?.shown())
}
