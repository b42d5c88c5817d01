//! The organisation's settings, cached for a few seconds for the pages.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{Caller, GetSettings, Settings};
use kit::Bus;
use tokio::sync::Mutex;

/// How long the settings are cached.
const FRESH: Duration = Duration::from_secs(5);
/// How long a page waits for new settings. After that it uses the cached ones, which are nearly
/// always right.
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

    /// The organisation's settings, at most a few seconds old. If the service does not answer, the
    /// last known settings are returned, or the defaults if none are known.
    pub(crate) async fn settings(&self) -> Arc<Settings> {
        // The lock is held during the request, so that concurrent calls wait for one reply and do
        // not send requests of their own.
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

    /// Makes the next call of [`Self::settings`] request the settings, after this gateway has
    /// changed them.
    pub(crate) async fn forget(&self) {
        self.known.lock().await.asked = None;
    }
}
