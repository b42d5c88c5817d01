//! Runs the whole system in the process of a test, in a test harness. Mails are written into the
//! data folder of the harness.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Deref;

use contracts::{Secret, Service};
use testkit::{Harness, Running};
use tokio::net::TcpListener;

use crate::api::{ADMIN_KEY, Api};
pub use crate::api::{Person, Response};
use crate::proxy::Proxy;

/// All services, running in one test harness.
pub struct System {
    /// The test harness.
    pub harness: Harness,
    api: Api,
    /// The address at which the gateway listens.
    addr: SocketAddr,
    running: BTreeMap<Service, Running>,
}

impl Deref for System {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl System {
    /// Starts a system on the shared mongod.
    pub async fn start() -> Self {
        Self::start_in(Harness::start().await).await
    }

    /// Starts a system in this harness.
    pub async fn start_in(harness: Harness) -> Self {
        Self::start_as(harness, None).await
    }

    /// Starts a system that clients reach only through this proxy.
    pub async fn start_behind(proxy: Proxy) -> Self {
        let system = Self::start_as(Harness::start().await, Some(proxy.url.clone())).await;
        proxy.serve(system.addr);
        system
    }

    /// Starts a system that clients reach at this URL, or without one at the address of its
    /// gateway.
    async fn start_as(harness: Harness, public_url: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let api = Api::new(public_url.unwrap_or(format!("http://{addr}")), harness.settings().data.clone());
        let mut system = Self { harness, api, addr, running: BTreeMap::new() };
        for service in Service::ALL.into_iter().filter(|service| *service != Service::Gateway) {
            system.start_service(service).await;
        }
        let gateway = system.gateway_config();
        let run = |deps, shutdown| gateway::run_on(listener, gateway, deps, shutdown);
        let running = system.harness.spawn(gateway::needs(), run).await;
        system.running.insert(Service::Gateway, running);
        system
    }

    fn gateway_config(&self) -> gateway::Config {
        gateway::Config {
            http_addr: self.addr,
            cors_allow_origins: String::new(),
            jwt_secret_key: Some(Secret::new("the-jwt-secret-of-a-system-under-test")),
            jwt_secret_key_file: None,
            jwt_secret_key_previous: None,
            jwt_secret_key_previous_file: None,
            jwt_algorithm: gateway::Algorithm::Hs256,
            access_token_expire_minutes: 60,
            admin_api_key: Some(Secret::new(ADMIN_KEY)),
            admin_api_key_file: None,
            admin_api_key_previous: None,
            admin_api_key_previous_file: None,
            // The test is a trusted proxy, so it can choose the address of a client with a header.
            trusted_proxies: "127.0.0.1".into(),
            // The limits are off, because tests send more requests than the limits allow.
            limits: gateway::Limits::off(),
            connections: gateway::Connections::default(),
            public_url: Some(self.base.clone()),
        }
    }

    /// Starts a second gateway, and returns its base URL.
    pub async fn second_gateway(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let config = self.gateway_config();
        self.harness.spawn(gateway::needs(), |deps, shutdown| gateway::run_on(listener, config, deps, shutdown)).await;
        base
    }

    /// Starts a service, for the first time or again, and waits until it has started.
    pub async fn start_service(&mut self, service: Service) {
        let harness = &self.harness;
        let running = match service {
            Service::Directory => {
                harness.spawn(directory::needs(), |d, s| directory::run(directory::Config::default(), d, s)).await
            }
            Service::Projects => {
                harness.spawn(projects::needs(), |d, s| projects::run(projects::Config::default(), d, s)).await
            }
            Service::Timetrack => {
                harness.spawn(timetrack::needs(), |d, s| timetrack::run(timetrack::Config::default(), d, s)).await
            }
            Service::Analytics => {
                harness.spawn(analytics::needs(), |d, s| analytics::run(analytics::Config::default(), d, s)).await
            }
            Service::Mailer => {
                let mailer = mailer::Config { public_url: Some(self.base.clone()), ..Default::default() };
                harness.spawn(mailer::needs(), |d, s| mailer::run(mailer, d, s)).await
            }
            Service::Audit => harness.spawn(audit::needs(), |d, s| audit::run(audit::Config::default(), d, s)).await,
            Service::Gateway => {
                let gateway = self.gateway_config();
                harness.spawn(gateway::needs(), |d, s| gateway::run(gateway, d, s)).await
            }
        };
        self.running.insert(service, running);
    }

    /// Returns a running service, which the test may stop or crash. The system does not know the
    /// service any more.
    pub fn running(&mut self, service: Service) -> Running {
        self.running.remove(&service).expect("it runs")
    }

    /// Returns the text that a service serves at /metrics.
    pub async fn metrics(&self, service: Service) -> String {
        let url = format!("http://{}/metrics", self.running[&service].ops);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    /// Stops all services. Fails the test if a service has not published all its events.
    pub async fn finish(self) {
        self.harness.finish().await;
    }
}
