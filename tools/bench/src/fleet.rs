//! All six services as processes of their own, on a NATS and a MongoDB of their own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use async_nats::jetstream::{self, consumer::pull};
use bson::{Document, doc};
use contracts::{Service, stream};
use servers::{Mongo, MongoOptions, Nats, NatsOptions, Programs};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::usage::Usage;

const SERVICES: [Service; 6] =
    [Service::Directory, Service::Projects, Service::Timetrack, Service::Analytics, Service::Mailer, Service::Gateway];
const ADMIN_KEY: &str = "the-admin-key-of-a-benchmark-of-t3";
/// How long everything may take to start.
const READY: Duration = Duration::from_secs(30);
/// How long analytics may take to count what is stored.
const REST: Duration = Duration::from_secs(1_800);

/// A running system.
pub(crate) struct Fleet {
    pub(crate) base: String,
    pub(crate) data: PathBuf,
    pub(crate) usage: Usage,
    pub(crate) nats_url: String,
    pub(crate) mongo_url: String,
    services: Vec<Child>,
    nats: Nats,
    mongo: Mongo,
    _folder: TempDir,
}

impl Fleet {
    /// Builds what is missing, starts it, and waits until it is ready.
    pub(crate) async fn start(sync_always: bool) -> Result<Self> {
        build()?;
        let folder = tempfile::tempdir()?;
        let programs = Programs::find_or_fetch(&servers::on_stderr()).await?;
        let options = NatsOptions { sync_always, ..NatsOptions::new(programs.nats_server, folder.path().join("nats")) };
        let nats = Nats::start(options).await?;
        let options = MongoOptions { cache_gb: 1.0, ..MongoOptions::new(programs.mongod, folder.path().join("mongo")) };
        let mongo = Mongo::start(options).await?;
        let data = folder.path().join("data");
        write_secret(&data)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut fleet = Self {
            base: format!("http://127.0.0.1:{port}"),
            data,
            usage: Usage::default(),
            nats_url: nats.url(),
            mongo_url: mongo.connection_string(),
            services: Vec::new(),
            nats,
            mongo,
            _folder: folder,
        };
        fleet.usage.watch("nats-server", fleet.nats.pid());
        fleet.usage.watch("mongod", fleet.mongo.pid());
        fleet.usage.watch("load", std::process::id());
        for service in SERVICES {
            let child = fleet.spawn(service)?;
            fleet.usage.watch(service.name(), child.id());
            fleet.services.push(child);
        }
        fleet.until_ready().await?;
        Ok(fleet)
    }

    fn spawn(&self, service: Service) -> Result<Child> {
        let program = programs_folder()?.join(service.name());
        Command::new(&program)
            .env("NATS_URL", &self.nats_url)
            .env("MONGO_CONNECTION_STRING", &self.mongo_url)
            .env("T3_ENV", "development")
            .env("T3_DATA", &self.data)
            .env("OPS_ADDR", "127.0.0.1:0")
            .env("HTTP_ADDR", self.base.trim_start_matches("http://"))
            .env("PUBLIC_URL", &self.base)
            .env("ADMIN_API_KEY", ADMIN_KEY)
            .env("JWT_SECRET_KEY", "the-jwt-secret-of-a-benchmark-of-t3")
            .env("LOG_LEVEL", "warn")
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))
    }

    async fn until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        let http = reqwest::Client::builder().no_proxy().build()?;
        loop {
            for (service, child) in SERVICES.iter().zip(&mut self.services) {
                ensure!(child.try_wait()?.is_none(), "{service} has ended: its words are above");
            }
            let ready = http.get(format!("{}/readyz", self.base)).send().await;
            let consumers = [
                (stream::INGEST, Service::Timetrack),
                (stream::EVENTS, Service::Analytics),
                (stream::EVENTS, Service::Directory),
                (stream::EVENTS, Service::Projects),
                (stream::EVENTS, Service::Mailer),
            ];
            let mut all = ready.is_ok_and(|answer| answer.status().is_success());
            for (stream, service) in consumers {
                all = all && self.waiting(stream, service).await.is_ok();
            }
            if all {
                return Ok(());
            }
            if started.elapsed() > READY {
                bail!("the system is not ready after {} s", READY.as_secs());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many messages a consumer has not settled.
    async fn waiting(&self, stream: &str, service: Service) -> Result<u64> {
        let jetstream = jetstream::new(self.bus().await?);
        let consumer = jetstream.get_consumer_from_stream::<pull::Config, _, _>(service.name(), stream).await?;
        let info = consumer.cached_info();
        Ok(info.num_pending + info.num_ack_pending as u64)
    }

    /// How many messages analytics are behind, and how long they take to catch up.
    pub(crate) async fn analytics_lag(&self) -> Result<(u64, Duration)> {
        let behind = self.waiting(stream::EVENTS, Service::Analytics).await?;
        let started = Instant::now();
        self.until_analytics_rest().await?;
        Ok((behind, started.elapsed()))
    }

    /// Waits until analytics have counted everything.
    pub(crate) async fn until_analytics_rest(&self) -> Result<()> {
        let started = Instant::now();
        while self.waiting(stream::EVENTS, Service::Analytics).await? > 0 {
            ensure!(started.elapsed() < REST, "analytics are still behind after {} s", REST.as_secs());
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// MongoDB, as whoever measures.
    pub(crate) async fn mongo(&self) -> Result<mongodb::Client> {
        kit::mongo::connect(&self.mongo_url, "bench").await
    }

    /// NATS, as whoever measures.
    pub(crate) async fn bus(&self) -> Result<async_nats::Client> {
        Ok(async_nats::connect(&self.nats_url).await?)
    }

    /// What NATS has counted since it started.
    pub(crate) async fn nats_counters(&self) -> Result<serde_json::Value> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(http.get(format!("{}/varz", self.nats.monitor_url())).send().await?.json().await?)
    }

    /// How many windows are stored.
    pub(crate) async fn stored(&self) -> Result<u64> {
        let windows = self.mongo().await?.database("t3_db_timetrack").collection::<Document>("windows");
        Ok(windows.count_documents(doc! {}).await?)
    }

    /// Stops everything.
    pub(crate) async fn stop(mut self) {
        for child in &mut self.services {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.nats.kill().await;
        self.mongo.kill().await;
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in &mut self.services {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Where our own programs are: beside this one.
fn programs_folder() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    this.parent().map(Path::to_owned).context("no folder of programs")
}

/// Builds the services as they are measured: released.
fn build() -> Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release"]);
    for service in SERVICES {
        cargo.args(["-p", service.name()]);
    }
    ensure!(cargo.status().context("cannot run cargo")?.success(), "the services cannot be built");
    Ok(())
}

fn write_secret(data: &Path) -> Result<()> {
    std::fs::create_dir_all(data.join("secrets"))?;
    std::fs::write(data.join("secrets/admin-api-key"), ADMIN_KEY)?;
    Ok(())
}
