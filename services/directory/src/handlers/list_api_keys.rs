use std::sync::Arc;

use contracts::ListApiKeys;
use kit::{Call, Error};

use crate::{App, domain::ApiKey};

/// Lists the API keys that are not revoked, without their texts.
pub(crate) async fn list_api_keys(app: Arc<App>, call: Call, _: ListApiKeys) -> Result<Vec<contracts::ApiKey>, Error> {
    call.require_admin()?;
    Ok(app.store.api_keys.list().await?.into_iter().map(ApiKey::shown).collect())
}
