use std::sync::Arc;

use contracts::{Action, AuditSubject, Failure, RevokeApiKey, deleted};
use kit::{Call, Error};

use super::until_key_is_known;
use crate::{App, WAIT};

/// Revokes an API key. The answer is 404 if the key is revoked already.
pub(crate) async fn revoke_api_key(app: Arc<App>, call: Call, request: RevokeApiKey) -> Result<(), Error> {
    call.require_admin()?;
    let now = app.clock.now();
    let key = kit::change!(app.db.awaited(WAIT), tx => {
        let loaded = app.store.api_keys.load(tx, request.id).await?.filter(|key| key.revoked_at.is_none());
        let mut key = loaded.ok_or_else(|| Failure::not_found("API key"))?;
        key.revoke(now);
        app.store.api_keys.save(tx, &key).await?;
        tx.emit(&key.changed()).await?;
        tx.audit(Action::KeyRevoked, AuditSubject::new("key", key.id), deleted(&key.clone().shown())).await?;
        Ok(key)
    })?;
    until_key_is_known(&app, &key).await
}
