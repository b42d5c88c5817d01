//! The service that owns the employees, their teams, accounts and invitations.

mod config;
mod consumers;
mod domain;
mod fair_queue;
mod handlers;
mod hasher;
mod metrics;
mod reconcile;
mod revocations;
mod store;
mod throttle;

use std::{sync::Arc, time::Duration};

use contracts::{Service, stream};
use kit::{Clock, Database, Deps, Endpoints, Events, Needs, Reconciler, Shutdown};

pub use config::Config;
use hasher::Hasher;
use metrics::{HashingMetrics, ThrottleMetrics};
use revocations::Revocations;
use store::Store;
use throttle::Throttle;

/// How long the handler of a change waits at most until other services have applied the change to
/// their copies.
const WAIT: Duration = Duration::from_secs(1);
/// How long the handler of a deactivation waits at most. It is longer, because the service
/// `projects` must first end all memberships and assignments.
const WAIT_FOR_SWEEP: Duration = Duration::from_secs(2);

/// The state that all handlers and consumers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Database,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
    /// The KV bucket that gateways watch: the state of accounts, sessions and API keys.
    pub(crate) revocations: Revocations,
    pub(crate) reconciler: Reconciler,
}

/// Runs the service until shutdown.
///
/// # Errors
/// When a consumer, a subscription, the bucket or a thread cannot be started.
pub async fn run(_config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    if !deps.until_provisioned(&needs(), &shutdown).await {
        return Ok(());
    }
    let revocations = Revocations::new(deps.bus.jetstream.get_key_value(stream::REVOCATIONS).await?);
    let db = deps.database();
    db.relay(&shutdown);
    let store = Store::open(&db);
    if let Err(error) = store.employees.renew_keys().await {
        // A failure is harmless: employees are also found by the earlier form of their address, and
        // the next start tries again.
        tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "addresses are stored in a former form");
    }
    let hasher = Hasher::start(HashingMetrics::new(deps.bus.metrics()))?;
    let clock = deps.clock.clone();
    let throttle = Throttle::new(store.attempts.clone(), clock.clone(), ThrottleMetrics::new(deps.bus.metrics()));
    let reconciler = Reconciler::new(&deps, &db, &reconcile::COPIES);
    let app = Arc::new(App { db, store, clock, hasher, throttle, revocations, reconciler });
    Reconciler::keep(app.clone(), &shutdown).await;
    events().consume(app.clone(), &deps.bus, &shutdown).await?;
    endpoints(app).serve(&deps.bus, &shutdown).await?;
    deps.health.started();
    shutdown.drained().await;
    Ok(())
}

/// Everything that must exist before this service can work.
pub fn needs() -> Needs {
    Needs::of(Service::Directory)
        .consumer(events().pull())
        .outbox()
        .stream(stream::REVOCATIONS_STREAM)
        .collections(Store::shapes())
        .collections([Reconciler::shape()])
}

/// The requests that this service answers.
fn endpoints(app: Arc<App>) -> Endpoints<App> {
    Endpoints::new(Service::Directory, app)
        .on(handlers::create_employee)
        .on(handlers::get_employee)
        .on(handlers::list_employees)
        .on(handlers::list_roster)
        .on(handlers::count_undelivered)
        .on(handlers::update_employee)
        .on(handlers::deactivate_employee)
        .on(handlers::reactivate_employee)
        .on(handlers::invite_employee)
        .on(handlers::set_permissions)
        .on(handlers::get_employee_states)
        .on(handlers::list_employee_states)
        .on(reconcile::reconcile)
        .on(handlers::get_names)
        .on(handlers::get_key_names)
        .on(handlers::activate)
        .on(handlers::get_invitation)
        .on(handlers::check_password)
        .on(handlers::mint_token)
        .on(handlers::mint_mail)
        .on(handlers::get_link)
        .on(handlers::get_mail_address)
        .on(handlers::forgot_password)
        .on(handlers::send_reset)
        .on(handlers::reset_password)
        .on(handlers::change_password)
        .on(handlers::confirm_email)
        .on(handlers::create_api_key)
        .on(handlers::list_api_keys)
        .on(handlers::get_api_key)
        .on(handlers::revoke_api_key)
        .on(handlers::mark_key_used)
        .on(handlers::set_role)
        .on(handlers::create_team)
        .on(handlers::get_team)
        .on(handlers::list_teams)
        .on(handlers::update_team)
        .on(handlers::delete_team)
        .on(handlers::get_team_members)
        .on(handlers::get_reach)
        .on(handlers::list_managers)
        .on(handlers::refresh_session)
        .on(handlers::list_sessions)
        .on(handlers::end_session)
        .on(handlers::end_other_sessions)
        .on(handlers::log_out)
        .on(handlers::mark_sessions_seen)
}

/// The events that this service processes.
fn events() -> Events<App> {
    Events::new(Service::Directory)
        .on(consumers::member_changed)
        .on(consumers::employee_changed)
        .on(consumers::account_changed)
        .on(consumers::api_key_changed)
        .on(consumers::session_ended)
        .on(consumers::delivery_changed)
}
