use std::time::Duration;

use anyhow::Result;
use async_nats::jetstream;
use contracts::{Service, User};
use futures::future::try_join_all;
use kit::{
    Needs,
    config::{self, Environment},
    mongo::{self, Login},
};

use crate::{Bounds, Plan, Secrets, consumers, databases, streams, users};

/// How long one call to JetStream may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections to NATS and MongoDB, with the rights to create what services need.
#[derive(Clone, Debug)]
pub struct Provisioner {
    jetstream: jetstream::Context,
    mongo: mongodb::Client,
    connection_string: contracts::Secret,
    settings: config::Mongo,
}

impl Provisioner {
    /// Connects to NATS as the user `provision`, and to MongoDB as `root` when a password is set,
    /// otherwise as the user of the connection string.
    ///
    /// # Errors
    /// When NATS cannot be reached or a setting is wrong.
    pub async fn connect(nats: &config::Nats, mongo: &config::Mongo, environment: Environment) -> Result<Self> {
        let connection_string = mongo.connection_string()?;
        let login = mongo.password()?.map(|password| Login { user: "root".into(), database: "admin".into(), password });
        let client = mongo::connect(connection_string.expose(), login, "provision").await?;
        let mut jetstream = jetstream::new(kit::connect_nats(nats, environment, User::Provision).await?);
        jetstream.set_timeout(PATIENCE);
        Ok(Self { jetstream, mongo: client, connection_string, settings: mongo.clone() })
    }

    /// Plans the changes to the streams.
    ///
    /// # Errors
    /// When NATS cannot be reached.
    pub async fn streams(&self, bounds: &Bounds) -> Result<Plan> {
        streams::plan(&self.jetstream, bounds).await
    }

    /// Plans the changes to the consumers, the databases and the MongoDB users of these services.
    /// The streams of the consumers must exist or be planned. Without secrets, MongoDB users are
    /// not changed.
    ///
    /// # Errors
    /// When NATS or MongoDB cannot be reached.
    pub async fn services(&self, needs: &[Needs], secrets: Option<&Secrets>) -> Result<Plan> {
        let plans = try_join_all(needs.iter().map(|needs| self.service(needs, secrets))).await?;
        Ok(plans.into_iter().fold(Plan::default(), |mut all, plan| {
            all.add(plan);
            all
        }))
    }

    async fn service(&self, needs: &Needs, secrets: Option<&Secrets>) -> Result<Plan> {
        let mut plan = Plan::default();
        let database = self.settings.database(needs.service);
        let consumers = try_join_all(needs.consumers.iter().map(|pull| consumers::plan(&self.jetstream, pull)));
        let databases = databases::plan(self.mongo.database(&database), needs);
        let (consumers, databases, user) =
            tokio::try_join!(consumers, databases, self.user(needs.service, &database, secrets))?;
        consumers.into_iter().chain([databases, user]).for_each(|part| plan.add(part));
        Ok(plan)
    }

    async fn user(&self, service: Service, database: &str, secrets: Option<&Secrets>) -> Result<Plan> {
        match secrets.map(|secrets| secrets.mongo_password(service)).transpose()?.flatten() {
            Some(password) => {
                users::plan(self.connection_string.expose(), &self.mongo, database, service, password).await
            }
            None => Ok(Plan::default()),
        }
    }
}

impl Plan {
    /// Adds the changes and refusals of another plan.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.add(other);
        self
    }
}
