//! Where the time and the money went: facts from events, and roll-ups recomputed from facts.

mod command;
mod config;
mod consumers;
mod domain;
mod engine;
mod handlers;
mod metrics;
mod rebuild;
mod store;

use std::sync::Arc;

use contracts::Service;
use kit::{Bus, Deps, Endpoints, Error, Shutdown};

pub use command::{Command, command};
pub use config::Config;
use consumers::Progress;
use domain::Overlaps;
use metrics::CountingMetrics;
pub use rebuild::{Rebuilding, rebuild};
use store::Store;

/// What handlers and consumers work with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) progress: Progress,
    pub(crate) store: Store,
    pub(crate) overlaps: Overlaps,
    pub(crate) metrics: CountingMetrics,
}

impl App {
    /// Opens the database.
    async fn open(config: &Config, deps: &Deps) -> Result<Self, Error> {
        let store = Store::open(&deps.database()).await?;
        Ok(Self {
            bus: deps.bus.clone(),
            progress: Progress::new(deps.bus.clone()),
            store,
            overlaps: if config.count_overlaps { Overlaps::CountAll } else { Overlaps::CountOnce },
            metrics: CountingMetrics::new(deps.bus.metrics()),
        })
    }
}

/// Answers and consumes until shutdown.
///
/// # Errors
/// When NATS refuses, or MongoDB is not there until shutdown.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    kit::provision_streams(&deps.bus).await?;
    let app = shutdown.until_done("opening the database", || App::open(&config, &deps)).await?;
    let app = Arc::new(app);
    consumers::windows::consume(app.clone(), &shutdown).await?;
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// What this service answers: one line a message.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Analytics, app).on(handlers::project_time).on(handlers::time).on(handlers::task_time)
}
