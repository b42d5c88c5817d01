//! A MongoDB server on loopback: a replica set of one, so that transactions work. More members can be added.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use contracts::Secret;
use rustix::process::Signal;

use crate::process::{self, Exited, Process};
use crate::programs::explain;
use crate::{Place, folder, port};

mod replica_set;

/// How a MongoDB server is started.
#[derive(Clone, Debug)]
pub struct MongoOptions {
    /// The program, from [`crate::Programs`].
    pub program: PathBuf,
    /// The folder of this server alone: its log and, in `data`, its files.
    pub dir: PathBuf,
    /// Where it runs: on loopback unless this says otherwise.
    pub place: Place,
    /// Whether it belongs to a set that others make it a member of (see [`Mongo::add`]): then it is started once it
    /// takes connections, and nobody waits until it is the primary.
    pub joins: bool,
    /// Memory for the storage engine's cache, in GB; 0.25 is the least it takes.
    pub cache_gb: f64,
    /// Whom it lets in; everybody unless this says otherwise.
    pub access: Option<Access>,
    /// More arguments for mongod, such as `--setParameter enableTestCommands=1`.
    pub args: Vec<String>,
}

impl MongoOptions {
    /// A server with a small cache and nothing extra.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        let (place, joins, cache_gb) = (Place::default(), false, 0.25);
        Self { program: program.into(), dir: dir.into(), place, joins, cache_gb, access: None, args: Vec::new() }
    }
}

/// Who gets in: users with passwords. One user, `root`, who may do everything, is made when the
/// server starts for the first time; that user makes the others.
#[derive(Clone, Debug)]
pub struct Access {
    /// The file by which the members of a replica set know each other, for its user alone.
    pub key_file: PathBuf,
    /// The password of `root`.
    pub root_password: Secret,
}

/// A running MongoDB server. Dropping it kills it, and so does the end of this process.
#[derive(Debug)]
pub struct Mongo {
    options: MongoOptions,
    port: u16,
    process: Process,
}

/// Recovering much data after a crash takes a while.
const READY: Duration = Duration::from_secs(120);
const STOPPED: Duration = Duration::from_secs(10);
const ATTEMPTS: usize = 10;

impl Mongo {
    /// Starts the server and waits until it is a writable primary. It gets the port it had the
    /// last time in this folder, if that is free; the data is found on another port too.
    pub async fn start(mut options: MongoOptions) -> Result<Self> {
        options.dir =
            folder::create(&options.dir).with_context(|| format!("cannot create {}", options.dir.display()))?;
        let lock = process::lock(&options.dir).await?;
        let mut remembered = port::remembered(&options.dir);
        for _ in 0..ATTEMPTS {
            let [port] = match remembered.take() {
                Some(port) => port,
                None => port::some_free()?,
            };
            if let Some(process) = launch(&options, port, &lock).await? {
                port::remember(&options.dir, &[port])?;
                return Ok(Self { options, port, process });
            }
        }
        bail!("mongod found no free port on {} in {ATTEMPTS} attempts", options.place.host)
    }

    /// Where clients connect, without a user. It names the replica set, so that a client waits for the primary
    /// while the server starts again, where a direct connection would fail its writes.
    pub fn connection_string(&self) -> String {
        connection_string(std::slice::from_ref(self))
    }

    /// Its address: `<host>:<port>`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.options.place.host, self.port)
    }

    /// Makes these members of its set, which was a set of one: they were started so that they join, with the same
    /// key file, and copy what is there. From now on it joins too when it is started again.
    ///
    /// # Errors
    /// When they are no members after two minutes.
    pub async fn add(&mut self, others: &[Self]) -> Result<()> {
        let others: Vec<String> = others.iter().map(Self::address).collect();
        replica_set::add(&self.socket(), self.options.access.as_ref(), &others, READY).await?;
        self.options.joins = true;
        Ok(())
    }

    fn socket(&self) -> replica_set::Address {
        (self.options.place.host, self.port)
    }

    /// The server's process id. A new one after each start.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The folder of this server.
    pub fn dir(&self) -> &Path {
        &self.options.dir
    }

    /// Resolves when this run of the server has ended, for whatever reason.
    pub fn exited(&self) -> impl Future<Output = Exited> + Send + use<> {
        self.process.exited()
    }

    /// Asks the server to stop and waits for it, 10 s at most; then kills it. Takes about a
    /// second: its replication threads look up once a second.
    pub async fn stop(&mut self) {
        self.process.stop(STOPPED).await;
    }

    /// Ends the server as a crash would. What it acknowledged as journaled is there afterwards.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts the server again, after [`stop`](Self::stop), [`kill`](Self::kill) or its own end:
    /// same files, same address. One that still runs is killed first.
    pub async fn start_again(&mut self) -> Result<()> {
        self.kill().await;
        let lock = process::lock(&self.options.dir).await?;
        let launched = launch(&self.options, self.port, &lock).await?;
        self.process = launched.with_context(|| format!("somebody else took the port {} of MongoDB", self.port))?;
        Ok(())
    }

    /// Stops the server from running, as a machine that hangs: connections stay open, nobody
    /// answers.
    pub fn pause(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets a paused server run again.
    pub fn resume(&self) {
        self.process.signal(Signal::CONT);
    }
}

/// Where clients connect to a set with these members, without a user.
pub fn connection_string(members: &[Mongo]) -> String {
    let members: Vec<String> = members.iter().map(Mongo::address).collect();
    format!("mongodb://{}/?replicaSet={}", members.join(","), replica_set::NAME)
}

/// `None`: somebody was faster and has the port.
async fn launch(options: &MongoOptions, port: u16, lock: &File) -> Result<Option<Process>> {
    let data = folder::create(&options.dir.join("data"))
        .with_context(|| format!("cannot create {}/data", options.dir.display()))?;
    let mut command = options.place.command(&options.program);
    command
        .arg("--dbpath")
        .arg(&data)
        .args(["--bind_ip", &options.place.host.to_string(), "--port", &port.to_string()])
        .args(["--nounixsocket", "--noscripting", "--quiet"])
        .args(["--replSet", replica_set::NAME])
        // Nobody replicates from it; the default is 5 % of the disk.
        .args(["--oplogSize", "512"])
        .args(["--wiredTigerCacheSizeGB", &options.cache_gb.to_string()])
        // It would measure itself every second.
        .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
        .args(&options.args)
        .args(
            options
                .access
                .iter()
                .flat_map(|access| ["--auth".as_ref(), "--keyFile".as_ref(), access.key_file.as_os_str()]),
        )
        .current_dir(&options.dir)
        .stdin(lock.try_clone().context("cannot share a lock")?);
    let process = Process::start("mongod", command, &options.dir.join("mongod.log"))?;
    if let Err(error) = process.until_log_says("Waiting for connections", READY).await {
        if process.log().says("address already in use") {
            return Ok(None);
        }
        bail!("MongoDB did not start: {}", explain(&format!("{error:#}")));
    }
    if options.joins {
        return Ok(Some(process));
    }
    let address = (options.place.host, port);
    tokio::select! {
        exited = process.exited() => Err(exited.into()),
        writable = replica_set::until_writable(&address, options.access.as_ref(), READY) => writable.map(|()| Some(process)),
    }
}
