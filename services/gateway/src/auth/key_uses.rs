use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use contracts::{Actor, Caller, KeyId, MarkKeyUsed, Millis};
use kit::Origin;

use crate::App;

/// Tells directory on which day each key was last used: once a day and key, and not while the
/// caller waits.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(Mutex<HashMap<KeyId, i64>>);

impl KeyUses {
    /// A key is used now.
    pub(super) fn note(&self, app: &Arc<App>, id: KeyId, now: Millis) {
        let today = now.utc_day();
        if self.lock().insert(id, today) == Some(today) {
            return;
        }
        let app = app.clone();
        // Directory tells the audit trail of a first use: by which request, and from where.
        let origin = Origin::current().with_actor(Some(Actor::Key(id)));
        tokio::spawn(origin.scope(async move {
            let used = MarkKeyUsed { id, on: now.utc_date().to_string() };
            if app.ask(Caller::Service, &used).await.is_err() {
                // The next use tells it.
                app.key_uses.lock().remove(&id);
            }
        }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
