use std::path::PathBuf;

use contracts::Service;

use crate::{
    Bus, Clock, Database, Health,
    config::{Common, Environment},
    metrics::Pool,
    mongo,
};

/// What a service is given: the bus, MongoDB, the clock, and where it says how it is.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Who we are.
    pub service: Service,
    /// NATS.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
    /// How we are.
    pub health: Health,
    /// Where we run.
    pub environment: Environment,
    /// The folder for what we keep on this machine; made by whoever writes into it first.
    pub data: PathBuf,
    mongo: mongodb::Client,
    pool: Pool,
    prefix: String,
}

impl Deps {
    /// Connects to NATS, waiting for it at most 30 seconds; MongoDB connects when it is needed.
    ///
    /// # Errors
    /// When NATS cannot be reached or a setting is wrong.
    pub async fn connect(service: Service, settings: &Common) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let pool = Pool::default();
        let connection_string = settings.mongo.connection_string()?;
        let mongo = mongo::connect_observed(connection_string.expose(), service.name(), &pool).await?;
        let bus = Bus::connect(&settings.nats_url, service, clock.clone()).await?;
        let health = Health::new(bus.clone());
        Ok(Self {
            service,
            bus,
            clock,
            health,
            environment: settings.environment,
            data: settings.data.clone(),
            mongo,
            pool,
            prefix: settings.mongo.mongo_db_name.clone(),
        })
    }

    /// The service's own database: asked for once.
    pub fn database(&self) -> Database {
        let database = self.mongo.database(&format!("{}_{}", self.prefix, self.service));
        self.health.needs_mongo(database.clone());
        self.pool.register(self.bus.metrics());
        Database::new(database, self.bus.clone())
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock.clone();
        self.bus = self.bus.with_clock(clock);
        self
    }
}
