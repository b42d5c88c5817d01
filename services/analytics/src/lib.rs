//! Reports of time and money. Facts about windows come from events; the sums are recomputed from
//! the facts.

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
use kit::{Bus, Deps, Endpoints, Needs, OwnFailures, RecentAnswer, Reconciler, Shutdown};

pub use command::{Command, command};
pub use config::Config;
use consumers::Progress;
use domain::Overlaps;
use metrics::CountingMetrics;
pub use rebuild::{Rebuilding, rebuild};
use store::{KnownCells, KnownSums, Store};

/// How long the list of silent employees is cached. The list changes slowly, within days.
const SILENT_LASTS: Duration = Duration::from_secs(60);

/// The values that handlers and consumers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) progress: Progress,
    pub(crate) store: Store,
    pub(crate) overlaps: Overlaps,
    /// The cached list of employees with time in one range and none in another.
    pub(crate) silent: RecentAnswer<(TimeRange, TimeRange), Vec<EmployeeId>>,
    /// The cache of the last period sums of all employees.
    pub(crate) known_sums: KnownSums,
    /// Locked during a recomputation, so that a process has only one at a time.
    pub(crate) recounting: tokio::sync::Mutex<()>,
    /// The sums of single employees from which this process has last computed those of all
    /// employees together.
    pub(crate) known_cells: KnownCells,
    pub(crate) metrics: CountingMetrics,
    /// How often each event has failed by its own fault in this process, and not because a
    /// dependency was unreachable.
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
            silent: RecentAnswer::new(SILENT_LASTS),
            known_sums: KnownSums::default(),
            recounting: tokio::sync::Mutex::default(),
            known_cells: KnownCells::default(),
            metrics: CountingMetrics::new(deps.bus.metrics()),
            failures: OwnFailures::default(),
            reconciler: Reconciler::new(deps, &db, &reconcile::COPIES),
        }
    }
}

/// Answers requests and consumes events until shutdown.
///
/// # Errors
/// When NATS cannot be reached, or refuses the consumer or the subscriptions.
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

/// The consumer, collections and indexes that this service needs. `provision` creates them.
pub fn needs() -> Needs {
    Needs::of(Service::Analytics)
        .consumer(consumers::windows::pull())
        .collections(Store::shapes())
        .collections([Reconciler::shape()])
}

/// The requests that this service answers, one line each.
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
