//! A MongoDB server as a replica set of one member, because transactions need a replica set. More
//! members can be added.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use contracts::Secret;

use crate::process::Process;
use crate::program::explain;
use crate::server::{Options, Server};
use crate::{Place, folder};

mod replica_set;

/// The settings of a MongoDB server.
#[derive(Clone, Debug)]
pub struct MongoOptions {
    /// The path of `mongod`, from [`crate::Programs`].
    pub program: PathBuf,
    /// The folder of this server: its log and, in `data`, its database files.
    pub dir: PathBuf,
    /// The address that the server listens on; loopback by default.
    pub place: Place,
    /// Whether the server becomes a member of another server's replica set (see [`Mongo::add`]). If
    /// so, its start ends once it accepts connections. Otherwise its start ends once it is the
    /// primary.
    pub joins: bool,
    /// The size of WiredTiger's cache in GB, at least 0.25.
    pub cache_gb: f64,
    /// Turns on access control. If None, every client may do everything.
    pub access: Option<Access>,
    /// More arguments for mongod, such as `--setParameter enableTestCommands=1`.
    pub args: Vec<String>,
}

impl MongoOptions {
    /// Settings with a small cache and without access control.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        let (place, joins, cache_gb) = (Place::default(), false, 0.25);
        Self { program: program.into(), dir: dir.into(), place, joins, cache_gb, access: None, args: Vec::new() }
    }
}

/// Access control: clients must log in. The user `root`, who may do everything, is created at the
/// first start.
#[derive(Clone, Debug)]
pub struct Access {
    /// The key file with which the members of a replica set authenticate each other.
    pub key_file: PathBuf,
    /// The password of `root`.
    pub root_password: Secret,
}

/// A running MongoDB server: the primary of its own set, or with `joins` a member of another
/// server's set.
pub type Mongo = Server<MongoOptions, 1>;

/// How long a start may take. The recovery of much data after a crash takes a while.
const START_LIMIT: Duration = Duration::from_secs(120);

impl Mongo {
    /// The connection string, without a user. It names the replica set, so that clients wait for
    /// the primary while the server restarts. Clients with a direct connection would fail instead.
    pub fn connection_string(&self) -> String {
        connection_string(std::slice::from_ref(self))
    }

    /// The address of the server: `<host>:<port>`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.options.place.host, self.ports[0])
    }

    /// Makes the other servers members of this primary's set, and waits until they have copied its
    /// data. They must have been started with `joins` and with the same key file.
    ///
    /// # Errors
    /// When the other servers are not members after two minutes.
    pub async fn add(&mut self, others: &[Self]) -> Result<()> {
        let others: Vec<String> = others.iter().map(Self::address).collect();
        let primary = (self.options.place.host, self.ports[0]);
        replica_set::add(primary, self.options.access.as_ref(), &others, START_LIMIT).await?;
        // After a restart another member may be the primary, so the start must not wait until this
        // server is the primary.
        self.options.joins = true;
        Ok(())
    }
}

/// The connection string of a set with these members, without a user.
pub fn connection_string(members: &[Mongo]) -> String {
    let members: Vec<String> = members.iter().map(Mongo::address).collect();
    format!("mongodb://{}/?replicaSet={}", members.join(","), replica_set::NAME)
}

impl Options<1> for MongoOptions {
    const NAME: &'static str = "mongod";

    fn dir(&mut self) -> &mut PathBuf {
        &mut self.dir
    }

    async fn launch(&self, [port]: [u16; 1], lock: &File) -> Result<Option<Process>> {
        let data = folder::create(&self.dir.join("data"))
            .with_context(|| format!("cannot create {}/data", self.dir.display()))?;
        let mut command = self.place.command(&self.program);
        command
            .arg("--dbpath")
            .arg(&data)
            .args(["--bind_ip", &self.place.host.to_string(), "--port", &port.to_string()])
            .args(["--nounixsocket", "--noscripting", "--quiet"])
            .args(["--replSet", replica_set::NAME])
            // The oplog's size in MB. The default is 5 % of the disk, which only secondaries need
            // that were away for long.
            .args(["--oplogSize", "512"])
            // Seconds between two checkpoints. After a crash, the server applies all writes since
            // the last checkpoint again before it answers, and no other member takes over
            // meanwhile. With the default of 60 s this would take longer than the rest of the
            // start.
            .args(["--syncdelay", "10"])
            .args(["--wiredTigerCacheSizeGB", &self.cache_gb.to_string()])
            // By default the server writes diagnostic data to the disk every second.
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args(&self.args)
            .args(
                self.access
                    .iter()
                    .flat_map(|access| ["--auth".as_ref(), "--keyFile".as_ref(), access.key_file.as_os_str()]),
            )
            .current_dir(&self.dir)
            .stdin(lock.try_clone().context("cannot share a lock")?);
        let process = Process::start("mongod", command, &self.dir.join("mongod.log"))?;
        if let Err(error) = process.until_log_says("Waiting for connections", START_LIMIT).await {
            if process.log().says("address already in use") {
                return Ok(None);
            }
            bail!("MongoDB did not start: {}", explain(&format!("{error:#}")));
        }
        if self.joins {
            return Ok(Some(process));
        }
        let address = (self.place.host, port);
        tokio::select! {
            exited = process.exited() => Err(exited.into()),
            writable = replica_set::until_writable(address, self.access.as_ref(), START_LIMIT) => writable.map(|()| Some(process)),
        }
    }
}
