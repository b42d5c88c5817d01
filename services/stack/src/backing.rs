//! NATS and MongoDB: the servers that the settings name, or servers that this process starts in the
//! data folder.

use std::future;
use std::time::Duration;

use anyhow::Result;
use contracts::{Secret, Service, User};
use kit::config::{self, Common, Environment};
use provisioning::{Bounds, Provisioner, Secrets, check_sync, nats_users};
use servers::{Access, DataDir, Exited, Mongo, MongoOptions, Nats, NatsOptions, Programs, on_stderr};
use tokio::time::timeout;

use crate::Settings;

/// How long the servers may take to stop. After that they are killed. Nothing is lost, because what
/// the servers have acknowledged is on disk.
const STOP: Duration = Duration::from_secs(4);

/// The servers that this process has started.
#[derive(Debug)]
pub struct Backing {
    secrets: Secrets,
    nats: Option<Nats>,
    mongo: Option<Mongo>,
}

impl Backing {
    /// Starts each server that the settings do not name, and puts the address of a started server
    /// into the settings. Then provisions both servers, except if the settings name both in
    /// production: there an operator provisions them.
    pub async fn start(settings: &mut Settings, data: &DataDir) -> Result<Self> {
        let secrets = Secrets::make_for_servers(&data.path().join("secrets"))?;
        let (nats, mongo) = tokio::try_join!(
            async { if settings.names_nats { Ok(None) } else { start_nats(data, &secrets).await.map(Some) } },
            async { if settings.names_mongo { Ok(None) } else { start_mongo(data, &secrets).await.map(Some) } },
        )?;
        if let Some(nats) = &nats {
            settings.common.nats.nats_url = nats.url();
        }
        if let Some(mongo) = &mongo {
            settings.common.mongo.mongo_connection_string = Secret::new(mongo.connection_string());
            settings.common.mongo.mongo_connection_string_file = None;
        }
        let backing = Self { secrets, nats, mongo };
        let are_all_named = backing.nats.is_none() && backing.mongo.is_none();
        if !are_all_named || settings.common.environment == Environment::Development {
            backing.provision(&settings.common).await?;
        }
        Ok(backing)
    }

    /// Creates the streams, consumers, users and collections that the services need.
    async fn provision(&self, common: &Common) -> Result<()> {
        let (nats, mut mongo) = (self.nats_of(User::Provision, common)?, common.mongo.clone());
        if self.mongo.is_some() {
            mongo.mongo_password = Some(self.secrets.root_password()?);
        }
        let provisioner = Provisioner::connect(&nats, &mongo, common.environment).await?;
        let users = self.mongo.is_some().then_some(&self.secrets);
        let (needs, bounds) = (provision::needs(), Bounds::default());
        let (streams, services) = tokio::try_join!(provisioner.streams(&bounds), provisioner.services(&needs, users))?;
        streams.and(services).apply().await
    }

    /// Returns the settings of one service. On a server that this process has started, each service
    /// has a user of its own.
    pub fn settings_of(&self, service: Service, common: &Common) -> Result<Common> {
        let mut common = Common { nats: self.nats_of(service.into(), common)?, ..common.clone() };
        if self.mongo.is_some() {
            common.mongo.mongo_password = self.secrets.mongo_password(service)?;
        }
        Ok(common)
    }

    fn nats_of(&self, user: User, common: &Common) -> Result<config::Nats> {
        let mut nats = common.nats.clone();
        if self.nats.is_some() {
            nats.nats_nkey = Some(self.secrets.nkey(user)?);
        }
        Ok(nats)
    }

    /// Resolves when a NATS or MongoDB server that this process has started exits by itself, which
    /// is always a fault.
    pub async fn exited(&self) -> Exited {
        let nats = async {
            match &self.nats {
                Some(nats) => nats.exited().await,
                None => future::pending().await,
            }
        };
        let mongo = async {
            match &self.mongo {
                Some(mongo) => mongo.exited().await,
                None => future::pending().await,
            }
        };
        tokio::select! { exited = nats => exited, exited = mongo => exited }
    }

    /// Stops the servers that this process has started, both at the same time.
    pub async fn stop(mut self) {
        let nats = async {
            if let Some(nats) = &mut self.nats {
                nats.stop().await;
            }
        };
        let mongo = async {
            if let Some(mongo) = &mut self.mongo {
                mongo.stop().await;
            }
        };
        if timeout(STOP, async { tokio::join!(nats, mongo) }).await.is_err() {
            tracing::warn!("NATS and MongoDB did not stop in time and are killed");
        }
    }
}

async fn start_nats(data: &DataDir, secrets: &Secrets) -> Result<Nats> {
    let program = Programs::nats_server(&on_stderr()).await?;
    let mut options = NatsOptions::new(program, data.path().join("nats"));
    options.extra = nats_users(secrets.users()?);
    let nats = Nats::start(options).await?;
    check_sync(&nats.monitor_url()).await?;
    Ok(nats)
}

async fn start_mongo(data: &DataDir, secrets: &Secrets) -> Result<Mongo> {
    let program = Programs::mongod(&on_stderr()).await?;
    let mut options = MongoOptions::new(program, data.path().join("mongo"));
    options.access = Some(Access { key_file: secrets.path("mongo/keyfile"), root_password: secrets.root_password()? });
    Mongo::start(options).await
}
