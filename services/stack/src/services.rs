//! Starts the gateway and the six services together, and stops the gateway before the others.

use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use contracts::Service;
use kit::{Bus, Deps, Health, Shutdown, config::Common};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::{Settings, backing::Backing};

/// How long the gateway may take to stop before the other services are stopped too.
const GATEWAY_FIRST: Duration = Duration::from_secs(8);

/// The services in the order of their ports for health and metrics.
const IN_ORDER: [Service; 7] = Service::ALL;

/// All services that run.
#[derive(Debug, Default)]
pub struct Services {
    running: JoinSet<(Service, Result<()>)>,
    started: Vec<Started>,
}

#[derive(Debug)]
struct Started {
    service: Service,
    bus: Bus,
    health: Health,
    shutdown: Shutdown,
}

impl Services {
    /// Starts all services and waits until each has started.
    pub async fn start(&mut self, settings: &Settings, backing: &Backing, listener: TcpListener) -> Result<()> {
        let Settings { directory, projects, timetrack, analytics, mailer, audit, gateway, .. } = settings.clone();
        let of = |service| anyhow::Ok((service, backing.settings_of(service, &settings.common)?));
        self.spawn(of(Service::Directory)?, |deps, stop| directory::run(directory, deps, stop)).await?;
        self.spawn(of(Service::Projects)?, |deps, stop| projects::run(projects, deps, stop)).await?;
        self.spawn(of(Service::Timetrack)?, |deps, stop| timetrack::run(timetrack, deps, stop)).await?;
        self.spawn(of(Service::Analytics)?, |deps, stop| analytics::run(analytics, deps, stop)).await?;
        self.spawn(of(Service::Mailer)?, |deps, stop| mailer::run(mailer, deps, stop)).await?;
        self.spawn(of(Service::Audit)?, |deps, stop| audit::run(audit, deps, stop)).await?;
        self.spawn(of(Service::Gateway)?, |deps, stop| gateway::run_on(listener, gateway, deps, stop)).await?;
        let healths: Vec<Health> = self.started.iter().map(|started| started.health.clone()).collect();
        tokio::select! {
            () = async { for health in &healths { health.until_started().await } } => Ok(()),
            error = self.any_ended() => Err(error),
        }
    }

    async fn spawn<F, R>(&mut self, (service, settings): (Service, Common), run: F) -> Result<()>
    where
        F: FnOnce(Deps, Shutdown) -> R,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let shutdown = Shutdown::new();
        let deps = Deps::connect(service, &settings).await?;
        let mut ops_addr = settings.ops_addr;
        // Seven services cannot listen on the same port, so each gets the port after that of the
        // service before it.
        if ops_addr.port() != 0 {
            let place = IN_ORDER.iter().position(|other| *other == service).unwrap_or_default();
            ops_addr.set_port(ops_addr.port().saturating_add(place as u16));
        }
        deps.health.serve(ops_addr, &shutdown).await?;
        let (bus, health) = (deps.bus.clone(), deps.health.clone());
        // Each service runs in a tokio task of its own, so that a panic can be reported with the
        // name of the service.
        let ended = tokio::spawn(run(deps, shutdown.clone()));
        self.running.spawn(async move { (service, ended.await.unwrap_or_else(|panic| Err(panic.into()))) });
        self.started.push(Started { service, bus, health, shutdown });
        Ok(())
    }

    /// Waits until a service ends, which none should do by itself, and returns the reason.
    pub async fn any_ended(&mut self) -> Error {
        match self.running.join_next().await {
            Some(Ok((service, Ok(())))) => anyhow!("the {service} service ended by itself"),
            Some(Ok((service, Err(error)))) => error.context(format!("the {service} service ended")),
            Some(Err(panic)) => panic.into(),
            None => anyhow!("no service runs"),
        }
    }

    /// Stops all services, the gateway first, so that the others can still answer its open
    /// requests.
    pub async fn stop(&mut self, within: Duration) {
        let deadline = Instant::now() + within;
        self.stop_some(|service| service == Service::Gateway);
        let gateway = async {
            while let Some(Ok((service, ended))) = self.running.join_next().await {
                report(service, ended);
                if service == Service::Gateway {
                    break;
                }
            }
        };
        // The gateway may use only a part of the time, because the other services need the
        // remaining time.
        let _ = timeout_at(deadline.min(Instant::now() + GATEWAY_FIRST), gateway).await;
        self.stop_some(|_| true);
        let others = async {
            while let Some(Ok((service, ended))) = self.running.join_next().await {
                report(service, ended);
            }
        };
        if timeout_at(deadline, others).await.is_err() {
            tracing::warn!(left = self.running.len(), "not everything is finished; it will be repeated");
        }
        for started in &self.started {
            // The connections are drained one after the other. If NATS is unreachable, each drain
            // takes 2 s, but all of them end at the deadline.
            let _ = timeout_at(deadline, started.bus.drain()).await;
        }
    }

    fn stop_some(&self, which: impl Fn(Service) -> bool) {
        for started in self.started.iter().filter(|started| which(started.service)) {
            started.shutdown.stop();
        }
    }
}

fn report(service: Service, ended: Result<()>) {
    if let Err(error) = ended.with_context(|| format!("the {service} service")) {
        tracing::error!("{error:#}, while it was stopped");
    }
}
