//! Where the time and the money went: facts from events, and roll-ups recomputed from facts.

mod config;
mod consumers;
mod domain;
mod engine;
mod handlers;
mod metrics;
mod store;

use std::sync::Arc;

use contracts::Service;
use kit::{Bus, Deps, Endpoints, Shutdown};

pub use config::Config;
use consumers::Progress;
use domain::Overlaps;
use metrics::CountingMetrics;
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

/// Answers and consumes until shutdown.
///
/// # Errors
/// When NATS refuses, or MongoDB is not there until shutdown.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    kit::provision_streams(&deps.bus).await?;
    let db = deps.database();
    let store = shutdown.until_done("opening the database", || Store::open(&db)).await?;
    let overlaps = if config.count_overlaps { Overlaps::CountAll } else { Overlaps::CountOnce };
    let metrics = CountingMetrics::new(deps.bus.metrics());
    let (bus, progress) = (deps.bus.clone(), Progress::new(deps.bus.clone()));
    let app = Arc::new(App { bus, progress, store, overlaps, metrics });
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
