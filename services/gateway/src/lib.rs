//! The gateway, which serves the HTTP API and the console. It checks credentials (it alone has the
//! JWT secret), formats and limits, and sends requests to the services. It has no database of its
//! own.

mod auth;
mod client;
mod config;
mod console;
mod error;
mod etags;
mod extract;
mod headers;
mod hear_out;
mod ingest;
mod limits;
mod metrics;
mod names;
mod observe;
mod openapi;
mod organisation;
mod pages;
mod periods;
mod routes;
mod serving;
mod sheet;
mod teams;
#[cfg(test)]
mod truths;

use std::{sync::Arc, time::Duration};

use contracts::{Caller, Failure, Request, Service, stream};
use kit::{Bus, Clock, Deps, Health, Needs, PublicUrl, Shutdown, config::Refused};
use tokio::net::TcpListener;

pub use config::{Algorithm, Alone, Config};
pub use console::console_pages;
pub use limits::LimitSettings as Limits;
pub use serving::Connections;

use crate::{
    auth::{AdminKeys, KeyUses, Revocations, SessionUses, Tokens},
    client::TrustedProxies,
    ingest::Ingest,
    limits::{LimitMetrics, Limits as Bounds},
    metrics::HttpMetrics,
    names::Names,
    organisation::Organisation,
};

/// How long open requests may take after the shutdown has begun.
const GRACE: Duration = Duration::from_secs(15);
/// How long background tasks may take after the last open request.
const REST: Duration = Duration::from_secs(5);

/// The state that handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) health: Health,
    pub(crate) keys: AdminKeys,
    pub(crate) tokens: Tokens,
    pub(crate) revocations: Revocations,
    pub(crate) key_uses: KeyUses,
    pub(crate) session_uses: SessionUses,
    pub(crate) ingest: Ingest,
    pub(crate) names: Names,
    pub(crate) organisation: Organisation,
    pub(crate) at_work: console::RecentAtWork,
    pub(crate) likely: console::Likely,
    pub(crate) metrics: HttpMetrics,
    /// The URL under which browsers reach the gateway.
    pub(crate) base: PublicUrl,
    /// The proxies whose headers name the client's address.
    pub(crate) proxies: TrustedProxies,
    /// The rate limits.
    pub(crate) limits: Arc<Bounds>,
    /// The time limit for receiving a request's body.
    pub(crate) body_limit: serving::Limit,
}

impl App {
    /// Sends a request to a service.
    pub(crate) async fn ask<R: Request>(&self, caller: Caller, request: &R) -> Result<R::Reply, Failure> {
        self.bus.ask(caller, request).await
    }
}

/// What provisioning must create for this service.
pub fn needs() -> Needs {
    Needs::of(Service::Gateway).stream(stream::INGEST).stream(stream::REVOCATIONS_STREAM)
}

/// Serves HTTP on `HTTP_ADDR` until shutdown.
///
/// # Errors
/// When a setting is invalid, the address is in use, or NATS refuses a request of the gateway.
pub async fn run(config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.http_addr).await.map_err(|error| {
        Refused(format!(
            "HTTP_ADDR is {}, which cannot be listened on ({error}): choose another address, or stop what listens there",
            config.http_addr
        ))
    })?;
    run_on(listener, config, deps, shutdown).await
}

/// Runs the gateway on a listener that is already bound, for callers that must know its port.
///
/// # Errors
/// When a setting is invalid, or NATS refuses a request of the gateway.
pub async fn run_on(listener: TcpListener, config: Config, deps: Deps, shutdown: Shutdown) -> anyhow::Result<()> {
    let keys = config.admin_keys(deps.environment)?;
    let tokens = config.tokens(deps.environment)?;
    let cors = config.cors()?;
    let base = PublicUrl::read(config.public_url.as_ref())?;
    let proxies = config.proxies()?;
    // Open requests need these background tasks, so the tasks are stopped only after the last
    // request is answered, or after `GRACE`.
    let background = Shutdown::new();
    let revocations = Revocations::watch(&deps.bus, &background);
    let (seen, clock) = (revocations.clone(), deps.clock.clone());
    deps.health.needs("revocations", move || seen.is_fresh(clock.now()));
    let metrics = HttpMetrics::new(deps.bus.metrics());
    let connections = serving::ConnectionMetrics::new(deps.bus.metrics());
    let ingest = Ingest::start(&deps.bus, &background).await?;
    let limits = Arc::new(Bounds::new(&config.limits, LimitMetrics::new(deps.bus.metrics())));
    let (kept, stop) = (limits.clone(), background.clone());
    background.spawn(async move { kept.forget_idle(&stop).await });
    let app = Arc::new(App {
        bus: deps.bus.clone(),
        clock: deps.clock.clone(),
        health: deps.health.clone(),
        keys,
        tokens,
        revocations: revocations.clone(),
        key_uses: KeyUses::default(),
        session_uses: SessionUses::start(&deps.bus, &background),
        ingest,
        names: Names::new(deps.bus.clone()),
        organisation: Organisation::new(deps.bus.clone()),
        at_work: console::RecentAtWork::new(console::AT_WORK_LASTS),
        likely: console::Likely::default(),
        metrics,
        base,
        proxies: proxies.clone(),
        limits,
        body_limit: (config.connections.body(), connections.clone()),
    });
    let addr = listener.local_addr()?;
    let serving =
        serving::serve(listener, routes::router(app, cors), config.connections, proxies, connections, &shutdown);
    let ready = async {
        // HTTP is served before everything is provisioned, because a 503 tells a client more than a
        // refused connection.
        let _ = deps.until_provisioned(&needs(), &shutdown).await;
        revocations.until_fresh().await;
        deps.health.started();
        tracing::info!(%addr, "listening");
        shutdown.stopping().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = serving => {}
        () = ready => tracing::warn!("stopped with requests in hand"),
    }
    background.stop();
    if tokio::time::timeout(REST, background.drained()).await.is_err() {
        tracing::warn!("stopped with work in hand");
    }
    Ok(())
}
