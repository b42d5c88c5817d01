use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use contracts::{Actor, Caller, KeyId, MarkKeyUsed, Millis};
use kit::Origin;

use crate::App;

/// Reports to directory the day on which each API key was last used. Each key is reported once a
/// day (UTC), in a task of its own, so that requests do not wait for the report.
#[derive(Debug, Default)]
pub(crate) struct KeyUses(Mutex<HashMap<KeyId, i64>>);

impl KeyUses {
    /// Records a use of a key. The first use of a day is reported.
    pub(super) fn note(&self, app: &Arc<App>, id: KeyId, now: Millis) {
        let today = now.utc_day();
        if self.lock().insert(id, today) == Some(today) {
            return;
        }
        let app = app.clone();
        // The audit trail gets an entry when a key is used for the first time ever. The report
        // carries the origin of the request, so that the entry names this origin.
        let origin = Origin::current().with_actor(Some(Actor::Key(id)));
        tokio::spawn(origin.scope(async move {
            let used = MarkKeyUsed { id, on: now.utc_date().to_string() };
            if app.ask(Caller::Service, &used).await.is_err() {
                // The day is removed, so that the next use of the key is reported again.
                app.key_uses.lock().remove(&id);
            }
        }));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<KeyId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
