//! Where the time and the money went: facts from events, and roll-ups recomputed from facts.

mod command;
mod config;
mod consumers;
mod domain;
mod engine;
mod handlers;
mod metrics;
mod rebuild;
mod reconcile;
mod store;

use std::{sync::Arc, time::Duration};

use contracts::{EmployeeId, Service, TimeRange};
use kit::{Bus, Deps, Endpoints, Lately, Needs, OwnFailures, Reconciler, Shutdown};

pub use command::{Command, command};
pub use config::Config;
use consumers::Progress;
use domain::Overlaps;
use metrics::CountingMetrics;
pub use rebuild::{Rebuilding, rebuild};
use store::{KnownSums, Store};

/// For how long it is not looked again who has fallen silent: it is a matter of days.
const SILENT_LASTS: Duration = Duration::from_secs(60);

/// What handlers and consumers work with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) progress: Progress,
    pub(crate) store: Store,
    pub(crate) overlaps: Overlaps,
    /// Who has fallen silent from one range to another, as it was a moment ago.
    pub(crate) silent: Lately<(TimeRange, TimeRange), Vec<EmployeeId>>,
    /// What everybody's periods came out at last.
    pub(crate) known_sums: KnownSums,
    pub(crate) metrics: CountingMetrics,
    /// Of the events that are counted.
    pub(crate) failures: OwnFailures,
    pub(crate) reconciler: Reconciler,
}

impl App {
    fn open(config: &Config, deps: &Deps) -> Self {
        let db = deps.database();
        Self {
            bus: deps.bus.clone(),
            progress: Progress::new(deps.bus.clone()),
            store: Store::open(&db),
            overlaps: if config.count_overlaps { Overlaps::CountAll } else { Overlaps::CountOnce },
            silent: Lately::new(SILENT_LASTS),
            known_sums: KnownSums::default(),
            metrics: CountingMetrics::new(deps.bus.metrics()),
            failures: OwnFailures::default(),
            reconciler: Reconciler::new(deps, &db, &reconcile::COPIES),
        }
    }
}

/// Answers and consumes until shutdown.
///
/// # Errors
/// When NATS refuses.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let app = Arc::new(App::open(&config, &deps));
    Reconciler::keep(app.clone(), &shutdown).await;
    consumers::windows::consume(app.clone(), &shutdown).await?;
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// What must be there before this service can work.
pub fn needs() -> Needs {
    Needs::of(Service::Analytics)
        .consumer(consumers::windows::pull())
        .collections(Store::shapes())
        .collections([Reconciler::shape()])
}

/// What this service answers: one line a message.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Analytics, app)
        .on(handlers::project_time)
        .on(handlers::time)
        .on(handlers::task_time)
        .on(handlers::long_days)
        .on(handlers::silent)
        .on(handlers::period_sums)
        .on(reconcile::reconcile)
}
