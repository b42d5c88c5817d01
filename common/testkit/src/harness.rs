use std::{future::Future, net::SocketAddr, sync::Mutex, time::Duration};

use async_nats::{HeaderMap, header::NATS_MESSAGE_ID};
use bson::{Document, doc};
use contracts::{Account, Caller, Event, EventId, Failure, Request, Service, User};
use kit::{Bus, Clock, Database, Deps, Metrics, Needs, Shutdown, config};
use provisioning::{Bounds, Plan, Provisioner};
use servers::Nats;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::{
    TestClock,
    servers::{mongo_settings, nats_settings, nats_settings_of_test, secrets, shared_mongo, start_nats},
};

/// The metric that counts how often NATS has refused a subject to a service.
const VIOLATIONS: &str = "t3_nats_permission_violations_total";

/// How long to wait for an answer of a service: long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The harness of one test: it has its own nats-server, its own databases and its own clock.
#[derive(Debug)]
pub struct Harness {
    /// The nats-server, which a test may kill or pause.
    pub nats: Nats,
    /// The clock of the harness and of its services.
    pub clock: TestClock,
    /// The temporary folder of the test.
    pub folder: TempDir,
    settings: config::Common,
    /// The connection string of MongoDB, without a user.
    mongo: String,
    provisioner: Provisioner,
    bus: Bus,
    shutdown: Shutdown,
    /// The metrics of each service that was started.
    metrics: Mutex<Vec<Metrics>>,
}

/// A service that a test has started in the harness.
#[derive(Debug)]
pub struct Running {
    /// The stop signal of this service only.
    pub shutdown: Shutdown,
    /// The address at which the service serves `/healthz`, `/readyz` and `/metrics`.
    pub ops: SocketAddr,
    /// A task that ends when the service has ended.
    pub ended: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Stops the service and waits until it has ended.
    ///
    /// # Panics
    /// When the service ended with an error.
    pub async fn stop(self) {
        self.shutdown.stop();
        self.ended.await.expect("no panic").expect("a good end");
    }

    /// Sends a GET request to the service's ops address. Returns the whole answer: status line,
    /// headers and body.
    ///
    /// # Panics
    /// When the service does not answer.
    pub async fn get(&self, path: &str) -> String {
        let mut connection = TcpStream::connect(self.ops).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        connection.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("it answers");
        answer
    }

    /// Waits until the service's metrics contain this line, which is written without the label
    /// `service_name`.
    pub async fn until_says(&self, line: &str) {
        crate::eventually_within(PATIENCE, line, async || {
            let metrics = self.get("/metrics").await;
            let own = |line: &str| {
                let (name, rest) = line.split_once("{service_name=\"")?;
                let (_, labels) = rest.split_once('"')?;
                Some(format!("{name}{{{}", labels.trim_start_matches(',')).replace("{}", ""))
            };
            metrics.lines().any(|known| own(known).as_deref() == Some(line)).then_some(())
        })
        .await;
    }
}

impl Harness {
    /// Starts a harness that uses the mongod shared by all tests of the process.
    pub async fn start() -> Self {
        Self::start_on(shared_mongo().await).await
    }

    /// Starts a harness on the mongod with this connection string, which the test may stop.
    ///
    /// # Panics
    /// When a server cannot be started.
    pub async fn start_on(mongo_connection_string: &str) -> Self {
        // The initialisation succeeds only in the first test of the process. RUST_LOG=debug shows
        // the services' logs.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let folder = crate::folder();
        let nats = start_nats(&folder.path().join("nats")).await;
        let clock = TestClock::default();
        let prefix = format!("t_{}", kit::new_id::<EventId>().0.simple());
        let settings = config::Common {
            nats: nats_settings_of_test(&nats.url(), Account::Services).await,
            environment: config::Environment::Development,
            data: folder.path().join("data"),
            ops_addr: ([127, 0, 0, 1], 0).into(),
            mongo: mongo_settings(mongo_connection_string, &prefix, None).await,
            telemetry: config::Telemetry {
                log_level: "info".into(),
                log_format: config::LogFormat::Auto,
                otel_exporter_otlp_endpoint: None,
            },
            reconcile: config::Reconcile { reconcile_every: 0, reconcile_settle: 1 },
        };
        let environment = settings.environment;
        // The bus has the rights of the gateway, which may send requests to every service. Its
        // JetStream context is replaced below by one that may do everything with the streams.
        let user = Service::Gateway.into();
        let mut bus =
            Bus::connect(&settings.nats, environment, user, Service::Gateway, clock.clock()).await.expect("NATS");
        let streams = nats_settings_of_test(&nats.url(), Account::Streams).await;
        let streams = kit::connect_nats(&streams, environment, User::Provision).await.expect("NATS");
        bus.jetstream = async_nats::jetstream::new(streams);
        let provision = nats_settings(&nats.url(), User::Provision).await;
        let provisioner = Provisioner::connect(&provision, &settings.mongo, environment).await.expect("NATS");
        let streams = provisioner.streams(&Bounds::default()).await.expect("a look at the streams");
        streams.apply().await.expect("streams");
        let mongo = mongo_connection_string.to_owned();
        Self {
            nats,
            clock,
            folder,
            settings,
            mongo,
            provisioner,
            bus,
            shutdown: Shutdown::new(),
            metrics: Mutex::default(),
        }
    }

    /// Connects a service to NATS and MongoDB as its own user. Returns the service's dependencies,
    /// with the clock of the harness.
    ///
    /// # Panics
    /// When NATS cannot be reached.
    pub async fn deps(&self, service: Service) -> Deps {
        Deps::connect(service, &self.settings_of(service).await).await.expect("NATS").with_clock(self.clock.clock())
    }

    /// The settings of the test itself. Its users may do everything in the NATS account of the
    /// services and in MongoDB.
    pub fn settings(&self) -> &config::Common {
        &self.settings
    }

    /// The settings of a service, with its own NATS and MongoDB users.
    pub async fn settings_of(&self, service: Service) -> config::Common {
        config::Common {
            nats: nats_settings(&self.nats.url(), service.into()).await,
            mongo: mongo_settings(&self.mongo, &self.settings.mongo.mongo_db_name, Some(service)).await,
            ..self.settings.clone()
        }
    }

    /// The changes that `provision run` would make, with these bounds of the streams and for the
    /// services with these needs.
    ///
    /// # Panics
    /// When NATS or MongoDB cannot be reached.
    pub async fn plan(&self, bounds: &Bounds, needs: &[Needs]) -> Plan {
        let streams = self.provisioner.streams(bounds).await.expect("a look at the streams");
        streams.and(self.services(needs).await)
    }

    /// Creates the streams and everything else that a service needs, as `provision run` does.
    ///
    /// # Panics
    /// When NATS or MongoDB cannot be reached.
    pub async fn provision(&self, needs: &Needs) {
        let plan = self.plan(&Bounds::default(), std::slice::from_ref(needs)).await;
        plan.apply().await.expect("provisioned");
    }

    /// Creates everything that a service needs, except the streams.
    ///
    /// # Panics
    /// When NATS or MongoDB cannot be reached.
    pub async fn provision_only(&self, needs: &Needs) {
        self.services(std::slice::from_ref(needs)).await.apply().await.expect("provisioned");
    }

    async fn services(&self, needs: &[Needs]) -> Plan {
        self.provisioner.services(needs, Some(secrets().await)).await.expect("a look at what is there")
    }

    /// Creates everything that a service needs except the streams, starts the service, and waits
    /// until it has started.
    ///
    /// # Panics
    /// When the service ends before it has started.
    pub async fn spawn<F, R>(&self, needs: Needs, run: F) -> Running
    where
        F: FnOnce(Deps, Shutdown) -> R,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.provision_only(&needs).await;
        let service = needs.service;
        let deps = self.deps(service).await;
        self.metrics.lock().expect("no panic before").push(deps.bus.metrics().clone());
        let (health, shutdown) = (deps.health.clone(), Shutdown::new());
        let ops = health.serve(self.settings.ops_addr, &shutdown).await.expect("a free port");
        let mut ended = tokio::spawn(run(deps, shutdown.clone()));
        tokio::select! {
            () = health.until_started() => {}
            end = &mut ended => panic!("{service} ended at once: {end:?}"),
        }
        let (with_harness, own) = (self.shutdown.clone(), shutdown.clone());
        tokio::spawn(async move {
            with_harness.stopping().await;
            own.stop();
        });
        Running { shutdown, ops, ended }
    }

    /// The test's own connection to NATS, with the rights of the gateway. Its JetStream context
    /// uses another connection, which may do everything in the account of the streams.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// A [`Clock`] that shows the time of the harness.
    pub fn clock(&self) -> Clock {
        self.clock.clock()
    }

    /// Sends a request as an admin.
    ///
    /// # Errors
    /// The failure that the service answers.
    pub async fn ask<R: Request>(&self, request: &R) -> Result<R::Reply, Failure> {
        self.bus.ask_within(PATIENCE, Caller::Admin, request).await
    }

    /// Publishes an event, as the service that owns the event would. Returns the id of the event.
    ///
    /// # Panics
    /// When the stream does not acknowledge the event.
    pub async fn publish<E: Event>(&self, event: &E) -> EventId {
        let id = kit::new_id();
        self.bus.publish_event(id, event).await.expect("published");
        id
    }

    /// Publishes the same event twice, so that a consumer gets it twice, as after a redelivery.
    /// Both messages are in the stream and have the same id.
    ///
    /// # Panics
    /// When the stream does not acknowledge the event.
    pub async fn publish_twice<E: Event>(&self, event: &E) {
        let id = self.publish(event).await;
        // The stream compares ids as text, the consumer as UUIDs. The same id in another spelling
        // is no duplicate for the stream.
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, id.0.simple().to_string());
        let payload = serde_json::to_vec(event).expect("JSON");
        let sent = self.bus.jetstream.publish_with_headers(event.subject(), headers, payload.into()).await;
        sent.expect("sent").await.expect("taken");
    }

    /// Opens the database of a service, so that a test can check what the service has stored.
    pub async fn database(&self, service: Service) -> Database {
        let deps = Deps::connect(service, &self.settings).await.expect("NATS");
        deps.with_clock(self.clock.clock()).database()
    }

    /// Purges EVENTS, after EVENTS has got all committed events of the services `directory`,
    /// `projects` and `timetrack`.
    ///
    /// # Panics
    /// When an outbox is not empty after 10 seconds, or NATS refuses the purge.
    pub async fn forget_events(&self) {
        self.until_published([Service::Directory, Service::Projects, Service::Timetrack]).await;
        let events = self.bus.jetstream.get_stream(contracts::stream::EVENTS).await.expect("the stream");
        events.purge().await.expect("purged");
    }

    /// Waits until the outboxes of these services are empty: EVENTS then has all their events.
    async fn until_published(&self, services: impl IntoIterator<Item = Service>) {
        for service in services {
            let rows = self.database(service).await.collection::<Document>("outbox");
            crate::eventually(&format!("the outbox of {service} is empty"), async || {
                (rows.count_documents(doc! {}).await.ok()? == 0).then_some(())
            })
            .await;
        }
    }

    /// The number of messages in a stream.
    ///
    /// # Panics
    /// When JetStream cannot be reached.
    pub async fn stream_messages(&self, stream: &str) -> u64 {
        let mut stream = self.bus.jetstream.get_stream(stream).await.expect("the stream");
        stream.info().await.expect("its state").state.messages
    }

    /// Waits until the consumer of a service has no pending and no unacknowledged message.
    pub async fn until_consumed(&self, stream: &str, service: Service) {
        crate::eventually_within(Duration::from_secs(20), "everything is consumed", async || {
            let mut consumer = self
                .bus
                .jetstream
                .get_consumer_from_stream::<async_nats::jetstream::consumer::pull::Config, _, _>(service.name(), stream)
                .await
                .ok()?;
            let info = consumer.info().await.ok()?;
            (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
        })
        .await;
    }

    /// Waits until the outboxes of all services except the gateway are empty, checks that NATS has
    /// refused no subject to a service, and stops all services.
    ///
    /// # Panics
    /// When an outbox is not empty after 10 seconds, or the table of rights lacks a right that a
    /// service needed.
    pub async fn finish(self) {
        self.until_published(Service::ALL.into_iter().filter(|service| *service != Service::Gateway)).await;
        for metrics in self.metrics.into_inner().expect("no panic before") {
            let text = metrics.text();
            let refused = text.lines().find(|line| line.starts_with(VIOLATIONS) && !line.ends_with(" 0"));
            assert_eq!(refused, None, "NATS has refused a subject: see the table of rights");
        }
        self.shutdown.stop();
    }
}
