//! Records time windows: consumes them from the queue INGEST, and checks whether they may be
//! recorded.

mod command;
mod config;
mod consumers;
mod domain;
mod faults;
mod handlers;
mod metrics;
mod migrate;
mod reconcile;
mod recorded;
mod store;

use std::{sync::Arc, time::Duration};

use contracts::Service;
use kit::{Bus, Clock, Database, Deps, Endpoints, Events, Needs, OwnFailures, RecentAnswer, Reconciler, Shutdown};

pub use command::{Command, Dead, Quarantine, command};
pub use config::{Config, EarliestWindow, Limits};
pub use faults::{Faults, Step};
pub use migrate::migrate;
pub use recorded::Recorded;

use crate::{
    consumers::{Ingest, Knowledge, Memory, Settling},
    metrics::TimetrackMetrics,
    store::{Doing, Store},
};

/// How long the list of employees at work is cached. The pages that show it request it every few
/// seconds.
const TRACKING_LASTS: Duration = Duration::from_secs(2);

/// The values that handlers and consumers share.
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
    /// The cached list of the employees who are at work.
    pub(crate) tracking: RecentAnswer<(), Vec<Doing>>,
    pub(crate) settling: Settling,
    /// How often each message of INGEST has failed in this process although MongoDB and NATS could
    /// be reached.
    pub(crate) failures: OwnFailures,
    pub(crate) reconciler: Reconciler,
}

/// Answers requests and consumes messages until shutdown.
///
/// # Errors
/// When NATS or MongoDB refuses.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    run_with(Faults::default(), config, deps, shutdown).await
}

/// The same as [`run`], with a rule by which a test stops the service at some steps.
///
/// # Errors
/// The errors of [`run`].
pub async fn run_with(faults: Faults, config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let db = deps.database();
    db.relay(&shutdown);
    let store = Store::open(&db);
    let all_read_it = || async { Ok(!store.workers.any_reads_older().await?) };
    if !store.layouts.begin(all_read_it, &shutdown).await? {
        return Ok(());
    }
    let reconciler = Reconciler::new(&deps, &db, &reconcile::COPIES);
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
        memory: Memory::new(deps.jetstream_beside().await?),
        tracking: RecentAnswer::new(TRACKING_LASTS),
        settling: Settling::default(),
        failures: OwnFailures::default(),
        reconciler,
    });
    metrics::watch(&app, &shutdown);
    Settling::keep(app.clone(), &shutdown).await;
    Knowledge::keep(app.clone(), &shutdown);
    Memory::keep(app.clone(), &shutdown);
    Reconciler::keep(app.clone(), &shutdown).await;
    events().consume(app.clone(), &deps.bus, &shutdown).await?;
    endpoints(app.clone()).serve(&deps.bus, &shutdown).await?;
    // After missed events, the copy of the bindings may be incomplete, and valid windows would be
    // refused. Until the copy has been compared with its owners, windows wait in the queue.
    app.reconciler.until_whole(&shutdown).await;
    Ingest::new(app.clone()).consume(&shutdown).await?;
    consumers::retry_early(app.clone(), &shutdown);
    consumers::take_second_looks(app.clone(), &shutdown);
    handlers::take_over_updates(app.clone(), &shutdown);
    handlers::open_what_was_given_up(app.clone(), &shutdown);
    handlers::take_over_reprices(app.clone(), &shutdown);
    handlers::mark_what_is_paid(app, &shutdown);
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// The consumers, collections and indexes that this service needs. `provision` creates them.
pub fn needs() -> Needs {
    Needs::of(Service::Timetrack)
        .consumers(Ingest::pulls())
        .consumer(events().pull())
        .outbox()
        .collections(Store::shapes())
        .collections([Reconciler::shape()])
}

/// The requests that this service answers, one line each.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Timetrack, app)
        .on(handlers::get)
        .on(handlers::list)
        .on(handlers::list_overlaps)
        .on(handlers::list_facts)
        .on(handlers::list_facts_of)
        .on(handlers::find_facts)
        .on(handlers::sum_facts)
        .on(reconcile::reconcile)
        .on(handlers::update)
        .on(handlers::preview_reprice)
        .on(handlers::start_reprice)
        .on(handlers::get_reprice)
        .on(handlers::correct)
        .on(handlers::void)
        .on(handlers::list_tracking)
        .on(handlers::list_lanes)
        .on(handlers::list_quarantine)
        .on(handlers::count_quarantine)
        .on(handlers::replay_quarantined)
        .on(handlers::admit_quarantined)
        .on(handlers::discard_quarantined)
        .on(handlers::ask_correction)
        .on(handlers::get_correction)
        .on(handlers::list_corrections)
        .on(handlers::accept_correction)
        .on(handlers::refuse_correction)
        .on(handlers::count_waiting)
        .on(handlers::get_settings)
        .on(handlers::set_settings)
        .on(handlers::list_periods)
        .on(handlers::get_period)
        .on(handlers::get_period_states)
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

/// The events that this service consumes, one line each. They update the copy of the bindings.
fn events() -> Events<App> {
    Events::new(Service::Timetrack)
        .on(consumers::employee_changed)
        .on(consumers::project_changed)
        .on(consumers::task_changed)
        .on(consumers::member_changed)
        .on(consumers::assignment_changed)
        .on(consumers::rates_changed)
}
