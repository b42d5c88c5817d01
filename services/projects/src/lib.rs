//! The service that owns projects, tasks, memberships, assignments and rates.

mod bindings;
mod config;
mod consumers;
mod domain;
mod handlers;
mod payroll;
mod reconcile;
mod store;

use std::{sync::Arc, time::Duration};

use contracts::Service;
use kit::{Bus, Clock, Database, Deps, Endpoints, Events, Needs, Reconciler, Shutdown};
use store::Store;

pub use config::Config;

/// How long the handler of a change waits at most until other services have applied the change to
/// their copies.
const WAIT: Duration = Duration::from_secs(1);

/// The state that all handlers and consumers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Database,
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) reconciler: Reconciler,
}

/// Runs the service until shutdown.
///
/// # Errors
/// When a consumer or a subscription cannot be started.
pub async fn run(_config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let db = deps.database();
    db.relay(&shutdown);
    let store = Store::open(&db);
    let reconciler = Reconciler::new(&deps, &db, &reconcile::COPIES);
    let app = Arc::new(App { store, db, bus: deps.bus.clone(), clock: deps.clock.clone(), reconciler });
    Reconciler::keep(app.clone(), &shutdown).await;
    events().consume(app.clone(), &deps.bus, &shutdown).await?;
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// Everything that must exist before this service can work.
pub fn needs() -> Needs {
    Needs::of(Service::Projects)
        .consumer(events().pull())
        .outbox()
        .collections(Store::shapes())
        .collections([Reconciler::shape()])
}

/// The requests that this service answers.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Projects, app)
        .on(handlers::create_project)
        .on(handlers::get_project)
        .on(handlers::list_projects)
        .on(handlers::get_names)
        .on(handlers::update_project)
        .on(handlers::delete_project)
        .on(handlers::set_memberships)
        .on(handlers::create_task)
        .on(handlers::get_task)
        .on(handlers::list_tasks)
        .on(handlers::update_task)
        .on(handlers::delete_task)
        .on(handlers::set_rate)
        .on(handlers::get_rate)
        .on(handlers::list_rates)
        .on(handlers::delete_rate)
        .on(handlers::list_project_states)
        .on(handlers::list_task_states)
        .on(handlers::list_members)
        .on(handlers::list_assignments)
        .on(reconcile::reconcile)
}

/// The events that this service processes.
fn events() -> Events<App> {
    Events::new(Service::Projects).on(consumers::employee_changed)
}
