//! The organisation's settings for pages, cached for a few seconds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{Caller, GetSettings, Settings};
use kit::Bus;
use tokio::sync::Mutex;

/// How long an answer is cached.
const FRESH: Duration = Duration::from_secs(5);
/// How long a page waits for the settings. With the cached ones it is still useful.
const PATIENCE: Duration = Duration::from_secs(1);

/// The cached settings.
#[derive(Debug)]
pub(crate) struct Organisation {
    bus: Bus,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    settings: Arc<Settings>,
    asked: Option<Instant>,
}

impl Organisation {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, known: Mutex::default() }
    }

    /// The present settings, as of a few seconds ago. If the service cannot be reached, the last known ones, or
    /// else the defaults.
    pub(crate) async fn settings(&self) -> Arc<Settings> {
        // Concurrent calls wait for the same answer.
        let mut known = self.known.lock().await;
        if known.asked.is_none_or(|asked| asked.elapsed() >= FRESH) {
            match self.bus.ask_within(PATIENCE, Caller::Service, &GetSettings {}).await {
                Ok(settings) => known.settings = Arc::new(settings),
                Err(failure) => tracing::warn!(code = ?failure.code, "pages go by the settings that were told last"),
            }
            known.asked = Some(Instant::now());
        }
        known.settings.clone()
    }

    /// Empties the cache, because the settings were changed by this gateway.
    pub(crate) async fn forget(&self) {
        self.known.lock().await.asked = None;
    }
}
