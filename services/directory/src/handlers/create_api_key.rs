use std::sync::Arc;

use contracts::{Action, Actor, AuditSubject, Code, CreateApiKey, Failure, NewApiKey, created};
use kit::{Call, Error};

use super::{grants, until_key_is_known};
use crate::{App, WAIT, domain::ApiKey};

/// The most keys that are not revoked: all of them must fit into one reply.
const MOST: usize = 1_000;

/// Makes an API key. Only this answer contains the text of the key.
pub(crate) async fn create_api_key(app: Arc<App>, call: Call, request: CreateApiKey) -> Result<NewApiKey, Error> {
    call.require_admin()?;
    if app.store.api_keys.list().await?.len() >= MOST {
        let detail = format!("There are {MOST} keys already: revoke those that nobody uses.");
        return Err(Failure::new(Code::Conflict, detail).into());
    }
    let (maker, now) = (grants(&app, &call).await?, app.clock.now());
    let made_by = call.actor.map(Actor::in_any_session);
    let (key, text) = ApiKey::create(kit::new_id(), kit::random_bytes(), request, &maker, made_by, now)?;
    kit::change!(app.db.awaited(WAIT), tx => {
        app.store.api_keys.insert(tx, &key).await?;
        tx.emit(&key.changed()).await?;
        tx.audit(Action::KeyCreated, AuditSubject::new("key", key.id), created(&key.clone().shown())).await?;
        Ok(())
    })?;
    // Waits for all gateways, because the client may use the key at once, at any of them.
    until_key_is_known(&app, &key).await?;
    Ok(key.shown_once(text))
}
