use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use bench::{
    fleet::{Fleet, Replica},
    senders::Senders,
};
use contracts::Service;
use tokio::time::{Instant, sleep};

use crate::gateways::OpenGateways;

/// The number of employees who send windows.
const EMPLOYEES: u32 = 32;
/// How long a gateway waits before it is stopped, because a load balancer may still send requests
/// to it.
const DEREGISTERED: Duration = Duration::from_millis(500);

/// A system whose services are replaced and scaled, with the list of gateways for its clients.
pub(crate) struct System {
    pub(crate) fleet: Fleet,
    pub(crate) senders: Arc<Senders>,
    pub(crate) gateways: OpenGateways,
    /// The processes of each service, the oldest first.
    replicas: BTreeMap<&'static str, Vec<Replica>>,
}

impl System {
    /// Starts the system and creates the employees.
    pub(crate) async fn start() -> Result<Self> {
        let mut fleet = Fleet::start(true).await?;
        let senders = Arc::new(Senders::hire(&fleet.base, &fleet.data, EMPLOYEES).await?);
        let gateways = OpenGateways::default();
        gateways.open(fleet.base.clone());
        let mut replicas: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for replica in fleet.take_replicas() {
            replicas.entry(replica.service.name()).or_default().push(replica);
        }
        Ok(Self { fleet, senders, gateways, replicas })
    }

    /// Adds a process of a service, and waits until it is ready.
    pub(crate) async fn add(&mut self, service: Service) -> Result<()> {
        let replica = self.fleet.add(service).await.with_context(|| format!("one more {service}"))?;
        if service == Service::Gateway {
            self.gateways.open(replica.base.clone());
        }
        self.replicas.entry(service.name()).or_default().push(replica);
        Ok(())
    }

    /// Stops the oldest process of a service gracefully, and returns how long that took.
    pub(crate) async fn retire(&mut self, service: Service) -> Result<Duration> {
        let oldest = self.replicas.get_mut(service.name()).filter(|all| !all.is_empty()).map(|all| all.remove(0));
        let oldest = oldest.with_context(|| format!("no {service} runs"))?;
        if service == Service::Gateway {
            self.gateways.close(&oldest.base);
            sleep(DEREGISTERED).await;
        }
        let since = Instant::now();
        oldest.stop().await.with_context(|| format!("stopping {service}"))?;
        Ok(since.elapsed())
    }

    /// Stops the system.
    pub(crate) async fn stop(self) {
        drop(self.replicas);
        self.fleet.stop().await;
    }
}
