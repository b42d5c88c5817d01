//! NATS and MongoDB: those that the settings name, or servers of our own in the data folder.

use std::future;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::Secret;
use serde_json::Value;
use servers::{DataDir, Exited, Mongo, MongoOptions, Nats, NatsOptions, Programs, on_stderr};
use tokio::time::timeout;

use crate::Settings;

/// How long the servers may take to stop. They are killed then, which loses nothing: what they
/// have acknowledged is on disk.
const STOP: Duration = Duration::from_secs(4);

/// The servers we started ourselves.
#[derive(Debug)]
pub struct Backing {
    nats: Option<Nats>,
    mongo: Option<Mongo>,
}

impl Backing {
    /// Starts what the settings do not name, and writes its address into them.
    pub async fn start(settings: &mut Settings, data: &DataDir) -> Result<Self> {
        let (nats, mongo) = tokio::try_join!(
            async { if settings.names_nats { Ok(None) } else { start_nats(data).await.map(Some) } },
            async { if settings.names_mongo { Ok(None) } else { start_mongo(data).await.map(Some) } },
        )?;
        if let Some(nats) = &nats {
            settings.common.nats_url = nats.url();
        }
        if let Some(mongo) = &mongo {
            settings.common.mongo.mongo_connection_string = Secret::new(mongo.connection_string());
            settings.common.mongo.mongo_connection_string_file = None;
        }
        Ok(Self { nats, mongo })
    }

    /// Resolves when one of our servers has ended, which it should not.
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

    /// Stops our servers, both at once.
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

async fn start_nats(data: &DataDir) -> Result<Nats> {
    let program = Programs::nats_server(&on_stderr()).await?;
    let nats = Nats::start(NatsOptions::new(program, data.path().join("nats"))).await?;
    check_sync(&nats).await.context("NATS does not say that it fsyncs what it acknowledges")?;
    Ok(nats)
}

async fn start_mongo(data: &DataDir) -> Result<Mongo> {
    let program = Programs::mongod(&on_stderr()).await?;
    Mongo::start(MongoOptions::new(program, data.path().join("mongo"))).await
}

/// A 202 promises that a window survives a power cut: only `sync_interval: always` keeps that.
async fn check_sync(nats: &Nats) -> Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let state: Value = http.get(format!("{}/jsz", nats.monitor_url())).send().await?.json().await?;
    ensure!(state["config"]["sync_always"] == true, "its monitoring port says: {}", state["config"]);
    Ok(())
}
