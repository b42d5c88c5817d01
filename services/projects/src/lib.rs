//! Projects, tasks and who is on them: the one authority for every membership and assignment.

mod bindings;
mod config;
mod consumers;
mod domain;
mod handlers;
mod store;

use std::{sync::Arc, time::Duration};

use contracts::Service;
use kit::{Bus, Clock, Database, Deps, Endpoints, Events, Shutdown};
use store::Store;

pub use config::Config;

/// How long a reply waits for the copies that other services keep of what it changed.
const WAIT: Duration = Duration::from_millis(250);

/// What handlers and consumers work with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Database,
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
}

/// Answers and consumes until shutdown.
///
/// # Errors
/// When NATS refuses, or MongoDB is not there until shutdown.
pub async fn run(_config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    kit::provision_streams(&deps.bus).await?;
    let db = deps.database();
    let store = shutdown.until_done("opening the database", || Store::open(&db)).await?;
    shutdown.until_done("opening the outbox", || db.relay(&shutdown)).await?;
    let app = Arc::new(App { store, db, bus: deps.bus.clone(), clock: deps.clock.clone() });
    events(app.clone()).consume(&deps.bus, &shutdown).await?;
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// What this service answers: one line a message.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Projects, app)
        .on(handlers::create_project)
        .on(handlers::get_project)
        .on(handlers::list_projects)
        .on(handlers::update_project)
        .on(handlers::delete_project)
        .on(handlers::create_task)
        .on(handlers::get_task)
        .on(handlers::list_tasks)
        .on(handlers::update_task)
        .on(handlers::delete_task)
}

/// What this service does about events: one line an event.
fn events(app: Arc<App>) -> Events<App> {
    Events::new(Service::Projects, app).on(consumers::employee_changed)
}
