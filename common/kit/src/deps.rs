use std::path::PathBuf;

use async_nats::jetstream;
use contracts::{Service, User};

use crate::{
    Bus, Clock, Database, Health,
    config::{self, Common, Environment},
    metrics::Pool,
    mongo::{self, Login},
};

/// What a service is built on: its connections, its clock, its health and its settings.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The service that runs in this process.
    pub service: Service,
    /// The connection to NATS.
    pub bus: Bus,
    /// The source of the current time.
    pub clock: Clock,
    /// The readiness of the service, and what the service still waits for.
    pub health: Health,
    /// Development or production.
    pub environment: Environment,
    /// The folder for files on this machine. Whoever writes the first file creates the folder.
    pub data: PathBuf,
    user: User,
    nats: config::Nats,
    pub(crate) reconcile: config::Reconcile,
    pub(crate) mongo: mongodb::Database,
    pool: Pool,
}

impl Deps {
    /// Connects to NATS, with retries for about 30 seconds. The MongoDB driver connects when it is
    /// first used.
    ///
    /// # Errors
    /// When NATS cannot be reached or a setting is wrong.
    pub async fn connect(service: Service, settings: &Common) -> anyhow::Result<Self> {
        Self::connect_as(service.into(), service, settings).await
    }

    /// As [`Deps::connect`], but connects to NATS as `user`: for operators' commands of a service's
    /// program.
    ///
    /// # Errors
    /// As [`Deps::connect`].
    pub async fn connect_as(user: User, service: Service, settings: &Common) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let (mongo, database, pool) = (&settings.mongo, settings.mongo.database(service), Pool::default());
        let login = mongo.password()?.map(|password| {
            // Each service's MongoDB user is stored in the service's own database, the only one
            // that it may read.
            Login { user: service.name().to_owned(), database: database.clone(), password }
        });
        let connection_string = mongo.connection_string()?;
        let mongo = mongo::connect_observed(connection_string.expose(), login, service.name(), &pool).await?;
        let bus = Bus::connect(&settings.nats, settings.environment, user, service, clock.clone()).await?;
        let health = Health::new(bus.clone());
        Ok(Self {
            service,
            bus,
            clock,
            health,
            environment: settings.environment,
            user,
            nats: settings.nats.clone(),
            data: settings.data.clone(),
            reconcile: settings.reconcile,
            mongo: mongo.database(&database),
            pool,
        })
    }

    /// A JetStream context over a second connection to NATS, for requests that must not wait until
    /// NATS has stored what this process publishes on the [`bus`](Self::bus).
    ///
    /// # Errors
    /// As [`Deps::connect`].
    pub async fn jetstream_beside(&self) -> anyhow::Result<jetstream::Context> {
        self.bus.jetstream_beside(&self.nats, self.environment, self.user).await
    }

    /// The service's own database. Call this only once: it registers metrics, and a second
    /// registration panics.
    pub fn database(&self) -> Database {
        self.health.needs_mongo(self.mongo.clone());
        self.pool.register(self.bus.metrics());
        Database::new(self.mongo.clone(), self.bus.clone())
    }

    /// These dependencies with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock.clone();
        self.bus = self.bus.with_clock(clock);
        self
    }
}
