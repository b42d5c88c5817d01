//! The audit trail: which actor changed what, when, from which address, and because of which
//! request or event. Entries are only ever appended. Each entry has a hash over its content and the
//! hash of the entry before it.

mod command;
mod config;
mod consumers;
mod domain;
mod handlers;
mod metrics;
mod store;

use std::sync::Arc;

use contracts::Service;
use kit::{Bus, Clock, Deps, Endpoints, Needs, Shutdown};

pub use command::{Command, command};
pub use config::Config;
pub use domain::{Anchor, Broken};

use consumers::Recorder;
use metrics::AuditMetrics;
use store::Store;

/// The values that handlers and consumers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) metrics: AuditMetrics,
}

impl App {
    fn open(deps: &Deps) -> Arc<Self> {
        let store = Store::open(&deps.database());
        let metrics = AuditMetrics::new(deps.bus.metrics());
        Arc::new(Self { store, bus: deps.bus.clone(), clock: deps.clock.clone(), metrics })
    }
}

/// Runs the service until shutdown.
///
/// # Errors
/// When NATS cannot be reached, or refuses the consumer or the subscriptions.
pub async fn run(_config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let app = App::open(&deps);
    metrics::watch(&app, &shutdown);
    consumers::look_for_gaps(app.clone(), &shutdown);
    Recorder::new(app.clone()).consume(&shutdown).await?;
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// Verifies the whole trail. Calls `tell` after each entry with the number of entries that were
/// right so far. Returns the last entry as an anchor; none if the trail is empty.
///
/// # Errors
/// [`Broken`] for the first wrong entry; another error when MongoDB cannot be reached.
pub async fn verify(deps: &Deps, anchor: Option<Anchor>, tell: impl Fn(u64)) -> anyhow::Result<Option<Anchor>> {
    store::verify(&Store::open(&deps.database()), anchor, tell).await
}

/// The consumers, collections and indexes that this service needs. `provision` creates them.
pub fn needs() -> Needs {
    Needs::of(Service::Audit).consumer(Recorder::pull()).collections(Store::shapes())
}

/// The requests that this service answers.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Audit, app).on(handlers::list_entries)
}
