//! Time windows: takes them from the queue INGEST, checks and records them.

mod command;
mod config;
mod consumers;
mod domain;
mod faults;
mod handlers;
mod metrics;
mod store;

use std::sync::Arc;

use contracts::Service;
use kit::{Bus, Clock, Database, Deps, Endpoints, Events, Needs, OwnFailures, Shutdown};

pub use command::{Command, Dead, Quarantine, command};
pub use config::{Config, EarliestWindow, Limits};
pub use faults::{Faults, Step};

use crate::{
    consumers::{Ingest, Knowledge, Memory, Settling},
    metrics::TimetrackMetrics,
    store::Store,
};

/// What handlers and consumers work with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) db: Database,
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) shutdown: Shutdown,
    pub(crate) faults: Faults,
    pub(crate) metrics: TimetrackMetrics,
    pub(crate) knowledge: Knowledge,
    pub(crate) memory: Memory,
    pub(crate) settling: Settling,
    /// Of the messages of the queue INGEST.
    pub(crate) failures: OwnFailures,
}

/// Answers and consumes until shutdown.
///
/// # Errors
/// When NATS refuses.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    run_with(Faults::default(), config, deps, shutdown).await
}

/// The same, with faults that a test asks for.
///
/// # Errors
/// As [`run`].
pub async fn run_with(faults: Faults, config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let db = deps.database();
    db.relay(&shutdown);
    let store = Store::open(&db);
    let app = Arc::new(App {
        config,
        db,
        store,
        bus: deps.bus.clone(),
        clock: deps.clock.clone(),
        shutdown: shutdown.clone(),
        faults,
        metrics: TimetrackMetrics::new(deps.bus.metrics()),
        knowledge: Knowledge::default(),
        memory: Memory::default(),
        settling: Settling::default(),
        failures: OwnFailures::default(),
    });
    metrics::watch(&app, &shutdown);
    Settling::keep(app.clone(), &shutdown).await;
    Knowledge::keep(app.clone(), &shutdown);
    Memory::keep(app.clone(), &shutdown);
    events().consume(app.clone(), &deps.bus, &shutdown).await?;
    Ingest::new(app.clone()).consume(&shutdown).await?;
    consumers::retry_early(app.clone(), &shutdown);
    handlers::take_over_updates(app.clone(), &shutdown);
    handlers::open_what_was_given_up(app.clone(), &shutdown);
    handlers::mark_what_is_paid(app.clone(), &shutdown);
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// What must be there before this service can work.
pub fn needs() -> Needs {
    Needs::of(Service::Timetrack)
        .consumer(Ingest::pull())
        .consumer(events().pull())
        .outbox()
        .collections(Store::shapes())
}

/// What this service answers: one line a message.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Timetrack, app)
        .on(handlers::get)
        .on(handlers::list)
        .on(handlers::list_overlaps)
        .on(handlers::list_facts)
        .on(handlers::update)
        .on(handlers::correct)
        .on(handlers::void)
        .on(handlers::list_quarantine)
        .on(handlers::replay_quarantined)
        .on(handlers::admit_quarantined)
        .on(handlers::discard_quarantined)
        .on(handlers::get_settings)
        .on(handlers::set_settings)
        .on(handlers::list_periods)
        .on(handlers::get_period)
        .on(handlers::submit_period)
        .on(handlers::approve_period)
        .on(handlers::send_back_period)
        .on(handlers::reopen_period)
        .on(handlers::list_adjustments)
        .on(handlers::create_pay_run)
        .on(handlers::get_pay_run)
        .on(handlers::list_pay_runs)
        .on(handlers::list_paid_periods)
        .on(handlers::list_locks)
        .on(handlers::set_lock)
        .on(handlers::reopen_lock)
}

/// What this service does about events: one line an event. All keep the copy of who may track.
fn events() -> Events<App> {
    Events::new(Service::Timetrack)
        .on(consumers::employee_changed)
        .on(consumers::project_changed)
        .on(consumers::task_changed)
        .on(consumers::member_changed)
        .on(consumers::assignment_changed)
}
