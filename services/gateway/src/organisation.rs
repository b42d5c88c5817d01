//! What the organisation has chosen, as pages need it: asked for every few seconds, not for each page.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{Caller, GetSettings, Settings};
use kit::Bus;
use tokio::sync::Mutex;

/// For how long an answer is taken for what holds.
const FRESH: Duration = Duration::from_secs(5);
/// How long a page waits for it: with the last answer it is still a page.
const PATIENCE: Duration = Duration::from_secs(1);

/// The settings as they were a moment ago.
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

    /// The settings as they are or lately were. Where those who know them are away, the last that were
    /// told, or those that hold at first.
    pub(crate) async fn settings(&self) -> Arc<Settings> {
        // Whoever comes meanwhile waits for the same answer.
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

    /// Has the next page ask anew: somebody has changed them here.
    pub(crate) async fn forget(&self) {
        self.known.lock().await.asked = None;
    }
}
