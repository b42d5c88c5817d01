use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use contracts::{Actor, Caller, KeyId, MarkKeyUsed, Millis};
use kit::Origin;

use crate::App;

/// Reports to directory on which day each key was last used. Once a day for each key, and without delaying the
/// request.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(Mutex<HashMap<KeyId, i64>>);

impl KeyUses {
    /// Records a use of a key.
    pub(super) fn note(&self, app: &Arc<App>, id: KeyId, now: Millis) {
        let today = now.utc_day();
        if self.lock().insert(id, today) == Some(today) {
            return;
        }
        let app = app.clone();
        // The audit trail records a first use, so the report carries the origin of the request.
        let origin = Origin::current().with_actor(Some(Actor::Key(id)));
        tokio::spawn(origin.scope(async move {
            let used = MarkKeyUsed { id, on: now.utc_date().to_string() };
            if app.ask(Caller::Service, &used).await.is_err() {
                // Removed, so that the next use reports it again.
                app.key_uses.lock().remove(&id);
            }
        }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
