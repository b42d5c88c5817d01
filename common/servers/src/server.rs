//! A server in a folder of its own: the code that NATS and MongoDB share.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::process::{self, Exited, Process};
use crate::{folder, port};

/// How long a server may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How many starts are tried at most while other processes take the chosen ports.
const ATTEMPTS: usize = 10;

/// The settings of a server that listens on `N` ports.
pub trait Options<const N: usize>: fmt::Debug + Send + Sync {
    /// The name of the server.
    const NAME: &'static str;

    /// The folder of the server.
    fn dir(&mut self) -> &mut PathBuf;

    /// Starts the program and waits until it accepts clients. The program inherits `lock` as its
    /// standard input. Returns None when another process has taken one of the ports.
    fn launch(&self, ports: [u16; N], lock: &File) -> impl Future<Output = Result<Option<Process>>> + Send;
}

/// A running server. Dropping this value kills the server, and so does the end of this process.
#[derive(Debug)]
pub struct Server<O, const N: usize> {
    pub(crate) options: O,
    dir: PathBuf,
    pub(crate) ports: [u16; N],
    process: Process,
}

impl<O: Options<N>, const N: usize> Server<O, N> {
    /// Starts the server and waits until it accepts clients. The server gets the ports of the last
    /// start in its folder, if they are free. On other ports it finds its data too.
    pub async fn start(mut options: O) -> Result<Self> {
        let dir = options.dir();
        *dir = folder::create(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let dir = dir.clone();
        let lock = process::lock(&dir).await?;
        let mut remembered = port::remembered(&dir);
        for _ in 0..ATTEMPTS {
            let ports = match remembered.take() {
                Some(ports) => ports,
                None => port::some_free()?,
            };
            if let Some(process) = options.launch(ports, &lock).await? {
                port::remember(&dir, &ports)?;
                return Ok(Self { options, dir, ports, process });
            }
        }
        bail!("{} found no free port in {ATTEMPTS} attempts", O::NAME)
    }

    /// The process id of the server. Each start has a new process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The folder of the server.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Resolves when this run of the server has ended, for whatever reason.
    pub fn exited(&self) -> impl Future<Output = Exited> + Send + use<O, N> {
        self.process.exited()
    }

    /// Sends SIGTERM to the server and waits for its end; kills the server after 10 s. MongoDB
    /// takes about a second to stop, because its replication threads check for a stop once a
    /// second.
    pub async fn stop(&mut self) {
        self.process.stop(STOP_LIMIT).await;
    }

    /// Kills the server with SIGKILL, as a crash would. Data that the server has synced to disk is
    /// kept.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts the server again after [`stop`](Self::stop), [`kill`](Self::kill) or its own end,
    /// with the same files and ports. If the server still runs, it is killed first.
    pub async fn start_again(&mut self) -> Result<()> {
        self.kill().await;
        let lock = process::lock(&self.dir).await?;
        let launched = self.options.launch(self.ports, &lock).await?;
        self.process =
            launched.with_context(|| format!("another process has taken a port of {}: {:?}", O::NAME, self.ports))?;
        Ok(())
    }

    /// Suspends the server, as if its machine hung: connections stay open, and nothing answers.
    pub fn pause(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Resumes a suspended server.
    pub fn resume(&self) {
        self.process.signal(Signal::CONT);
    }
}
