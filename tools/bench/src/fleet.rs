//! A fleet: all services as separate processes, with a NATS and a MongoDB of their own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use async_nats::jetstream;
use contracts::{Account, Rights, Secret, Service};
use futures::future::{join_all, try_join_all};
use provisioning::{Secrets, nats_users, new_key};
use servers::{Access, Mongo, MongoOptions, Nats, NatsOptions, mongo_connection_string};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::usage::Usage;

mod backlog;
mod cluster;
mod programs;
mod readings;
mod replica;

pub use cluster::{Cluster, Seat};
pub use programs::prepare;
use programs::programs_folder;
use replica::READY;
pub use replica::Replica;

/// All services. The gateway comes last, because it depends on the others.
pub const SERVICES: [Service; 7] = [
    Service::Directory,
    Service::Projects,
    Service::Timetrack,
    Service::Analytics,
    Service::Mailer,
    Service::Audit,
    Service::Gateway,
];
/// The admin key of every fleet.
pub const ADMIN_KEY: &str = "the-admin-key-of-a-benchmark-of-t3";
/// The size of MongoDB's cache in GiB. A million windows with their indexes need more than 1 GiB.
const CACHE_GB: f64 = 4.0;
/// The settings of the memory allocator, as in the Docker images of the services: see the
/// Dockerfile.
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// The library libfaketime, at the path where Debian's package libfaketime installs it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// The settings of a fleet.
#[derive(Clone, Debug, Default)]
pub struct FleetOptions {
    /// Whether NATS syncs to disk before it acknowledges.
    pub sync_always: bool,
    /// The folder for the logs, one file for each process. Without it the processes write to our
    /// standard error.
    pub logs: Option<PathBuf>,
    /// The name of the deliberate fault of the services: see `kit::is_mutant`.
    pub mutant: Option<String>,
    /// The addresses and folders of the servers of clusters. By default one NATS and one MongoDB
    /// run on loopback.
    pub cluster: Option<Cluster>,
    /// Whether services can be made to end at a given point of their program: see `kit::failpoint`.
    pub failpoints: bool,
}

/// A running system in which each service is a process.
pub struct Fleet {
    /// The base URL of the first gateway.
    pub base: String,
    /// The data folder, with the admin key and the mails.
    pub data: PathBuf,
    pub(crate) usage: Usage,
    /// The connection string of MongoDB, as `root`.
    mongo_url: String,
    secrets: Secrets,
    /// The seed of the NATS user `bench`, who may do everything in the account of the streams.
    seed: Secret,
    replicas: Vec<Replica>,
    nats: Vec<Nats>,
    mongo: Vec<Mongo>,
    options: FleetOptions,
    /// The temporary folder of all files. It is deleted when this is dropped.
    _folder: TempDir,
}

impl Fleet {
    /// Builds the services, starts all processes, and waits until all are ready.
    ///
    /// # Errors
    /// When something cannot be built or started.
    pub async fn start(sync_always: bool) -> Result<Self> {
        Self::start_with(FleetOptions { sync_always, ..Default::default() }).await
    }

    /// Does the same as [`Fleet::start`], with all settings.
    ///
    /// # Errors
    /// When something cannot be built or started.
    pub async fn start_with(fleet: FleetOptions) -> Result<Self> {
        let programs = prepare(fleet.mutant.is_some() || fleet.failpoints).await?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let secrets = Secrets::make_for_servers(&data.join("secrets"))?;
        let (seed, key) = new_key()?;
        let mut options = NatsOptions::new(programs.nats_server, folder.path().join("nats"));
        options.sync_always = fleet.sync_always;
        options.extra = nats_users(secrets.users()?.into_iter().chain([("bench", key, Rights::all(Account::Streams))]));
        let nats = cluster::nats(options, fleet.cluster.as_ref()).await?;
        let mut options = MongoOptions::new(programs.mongod, folder.path().join("mongo"));
        options.cache_gb = CACHE_GB;
        let (key_file, root_password) = (secrets.path("mongo/keyfile"), secrets.root_password()?);
        let root = format!("mongodb://root:{}@", root_password.expose());
        options.access = Some(Access { key_file, root_password });
        let mongo = cluster::mongo(options, fleet.cluster.as_ref()).await?;
        write_secret(&data)?;
        let mut fleet = Self {
            base: String::new(),
            data,
            usage: Usage::default(),
            mongo_url: mongo_connection_string(&mongo).replacen("mongodb://", &root, 1) + "&authSource=admin",
            secrets,
            seed,
            replicas: Vec::new(),
            nats,
            mongo,
            options: fleet,
            _folder: folder,
        };
        fleet.until_jetstream_answers().await?;
        fleet.provision()?;
        fleet.nats.iter().for_each(|nats| fleet.usage.watch("nats-server", nats.pid()));
        fleet.mongo.iter().for_each(|mongo| fleet.usage.watch("mongod", mongo.pid()));
        fleet.usage.watch("load", std::process::id());
        let replicas = SERVICES.map(|service| fleet.begin(service)).into_iter().collect::<Result<Vec<_>>>()?;
        for mut replica in replicas {
            replica.until_ready().await?;
            fleet.usage.watch(replica.service.name(), replica.process.id());
            fleet.base.clone_from(&replica.base);
            fleet.replicas.push(replica);
        }
        Ok(fleet)
    }

    /// Returns a command for a program of the project, with the settings of NATS and MongoDB.
    fn program(&self, name: &str) -> Result<Command> {
        let mut program = Command::new(programs_folder()?.join(name));
        program
            .env("NATS_URL", self.nats_urls().join(","))
            .env("NATS_NKEY_FILE", self.secrets.path(&format!("nats/{name}.nk")))
            .env("MONGO_CONNECTION_STRING", mongo_connection_string(&self.mongo))
            .env("T3_ENV", "development")
            .env("LOG_LEVEL", "warn")
            .envs(ALLOCATOR)
            .stdout(Stdio::null());
        Ok(program)
    }

    /// Creates the streams, consumers, users and collections that the services need, with the
    /// program `provision`.
    fn provision(&self) -> Result<()> {
        let mut program = self.program("provision")?;
        program.arg("run").env("SECRETS_DIR", self.secrets.path(""));
        program.env("MONGO_PASSWORD_FILE", self.secrets.path("mongo/root.password"));
        program.env("STREAM_REPLICAS", self.nats.len().to_string());
        ensure!(program.status().context("cannot run provision")?.success(), "provision failed: its words are above");
        Ok(())
    }

    /// Makes all services compare their copies with the owners. Returns a line for each service:
    /// its name, and how many entries were compared, found different, and repaired.
    ///
    /// # Errors
    /// When the program cannot be run, or a service cannot compare.
    pub fn reconcile(&self) -> Result<String> {
        let mut program = self.program("timetrack")?;
        program.arg("reconcile").env("NATS_NKEY_FILE", self.secrets.path("nats/operator.nk"));
        let done = program.stdout(Stdio::piped()).stderr(Stdio::piped()).output().context("cannot run timetrack")?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr).trim());
        Ok(String::from_utf8(done.stdout)?)
    }

    /// Starts another process of a service, and waits until it is ready.
    ///
    /// # Errors
    /// When the process cannot be started, or is not ready in time.
    pub async fn add(&self, service: Service) -> Result<Replica> {
        let mut replica = self.begin(service)?;
        replica.until_ready().await?;
        Ok(replica)
    }

    /// Starts another process of a service, without waiting until it is ready.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn begin(&self, service: Service) -> Result<Replica> {
        self.spawn(service)
    }

    /// Starts a process that ends by itself at a failpoint. With `after_commit:3` it ends when it
    /// reaches this failpoint for the fourth time.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn begin_doomed(&self, service: Service, dies_at: &str) -> Result<Replica> {
        self.spawn_with(service, &[("T3_DIE_AT", dies_at)])
    }

    /// Does the same as [`Fleet::begin`], with a wall clock that is wrong by this many seconds
    /// (libfaketime). Timers are not affected.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn begin_at_wrong_time(&self, service: Service, seconds: i64) -> Result<Replica> {
        if let Some(why) = lacks_wrong_clocks() {
            bail!(why);
        }
        let off = format!("{seconds:+}");
        let wrong = [
            ("LD_PRELOAD", FAKETIME),
            ("FAKETIME", off.as_str()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ];
        self.spawn_with(service, &wrong)
    }

    /// Returns the service processes that the start of the fleet has started. The caller must stop
    /// them.
    pub fn take_replicas(&mut self) -> Vec<Replica> {
        std::mem::take(&mut self.replicas)
    }

    fn spawn(&self, service: Service) -> Result<Replica> {
        self.spawn_with(service, &[])
    }

    fn spawn_with(&self, service: Service, more: &[(&str, &str)]) -> Result<Replica> {
        let mut program = self.program(service.name())?;
        if service != Service::Gateway {
            program.env("MONGO_PASSWORD_FILE", self.secrets.path(&format!("mongo/{service}.password")));
        }
        let [http, ops] = servers::free_ports()?.map(|port| format!("127.0.0.1:{port}"));
        let base = format!("http://{http}");
        if let Some(folder) = &self.options.logs {
            std::fs::create_dir_all(folder)?;
            let log = File::create(folder.join(format!("{service}-{ops}.log")))?;
            program.stderr(log);
        }
        if let Some(mutant) = &self.options.mutant {
            program.env("T3_MUTANT", mutant);
        }
        program
            .env("T3_DATA", &self.data)
            .env("OPS_ADDR", &ops)
            .env("HTTP_ADDR", &http)
            // Any URL does: tests read the tokens from the links in mails, and do not open the
            // links.
            .env("PUBLIC_URL", &base)
            .env("ADMIN_API_KEY", ADMIN_KEY)
            .env("JWT_SECRET_KEY", "the-jwt-secret-of-a-benchmark-of-t3")
            // Without this, requests would be refused, because a few clients send as much as
            // thousands of users.
            .env("RATE_LIMIT_CALLS", "0")
            .env("RATE_LIMIT_WINDOWS", "0")
            .env("RATE_LIMIT_ADDRESSES", "0")
            .envs(more.iter().copied());
        // The operating system kills the process when this one ends, however it ends.
        let process = servers::spawn(program).with_context(|| format!("cannot start {service}"))?;
        Ok(Replica { service, base, ops: format!("http://{ops}"), process })
    }

    /// Connects to MongoDB as `root`.
    ///
    /// # Errors
    /// When the connection string is malformed.
    pub async fn mongo(&self) -> Result<mongodb::Client> {
        kit::mongo::connect(&self.mongo_url, None, "bench").await
    }

    /// Connects to NATS as a user who may do everything in the account of the streams.
    ///
    /// # Errors
    /// When NATS cannot be reached.
    pub async fn bus(&self) -> Result<async_nats::Client> {
        let options = async_nats::ConnectOptions::with_nkey(self.seed.expose().to_owned());
        Ok(options.connect(self.nats_urls()).await?)
    }

    fn nats_urls(&self) -> Vec<String> {
        self.nats.iter().map(Nats::url).collect()
    }

    /// Waits until JetStream answers. A new cluster has no leader at first.
    async fn until_jetstream_answers(&self) -> Result<()> {
        let (began, jetstream) = (Instant::now(), jetstream::new(self.bus().await?));
        while let Err(error) = jetstream.query_account().await {
            ensure!(began.elapsed() < READY, "JetStream does not answer after {} s: {error}", READY.as_secs());
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Returns the NATS servers; `nats-1` is the first.
    pub fn nats(&mut self) -> &mut [Nats] {
        &mut self.nats
    }

    /// Returns the members of MongoDB's replica set.
    pub fn mongods(&mut self) -> &mut [Mongo] {
        &mut self.mongo
    }

    /// Kills every nats-server.
    pub async fn kill_nats(&mut self) {
        join_all(self.nats.iter_mut().map(Nats::kill)).await;
    }

    /// Starts every nats-server again with the same files and ports.
    ///
    /// # Errors
    /// When a server does not start.
    pub async fn restart_nats(&mut self) -> Result<()> {
        try_join_all(self.nats.iter_mut().map(Nats::start_again)).await.map(drop)
    }

    /// Kills every mongod.
    pub async fn kill_mongo(&mut self) {
        join_all(self.mongo.iter_mut().map(Mongo::kill)).await;
    }

    /// Starts every mongod again with the same files and ports.
    ///
    /// # Errors
    /// When a server does not start.
    pub async fn restart_mongo(&mut self) -> Result<()> {
        try_join_all(self.mongo.iter_mut().map(Mongo::start_again)).await.map(drop)
    }

    /// Kills all processes of the fleet.
    pub async fn stop(mut self) {
        self.replicas.clear();
        self.kill_nats().await;
        self.kill_mongo().await;
    }
}

/// Returns the reason why processes cannot be given a wrong clock, or `None` if they can.
pub fn lacks_wrong_clocks() -> Option<String> {
    let is_missing = !Path::new(FAKETIME).is_file();
    is_missing.then(|| format!("{FAKETIME} is missing: install it with `apt-get install libfaketime`"))
}

fn write_secret(data: &Path) -> Result<()> {
    std::fs::create_dir_all(data.join("secrets"))?;
    std::fs::write(data.join("secrets/admin-api-key"), ADMIN_KEY)?;
    Ok(())
}
