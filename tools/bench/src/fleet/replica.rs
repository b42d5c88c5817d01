//! A process of a service.

use std::{process::Child, time::Duration};

use anyhow::{Result, ensure};
use contracts::Service;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// How long the start of a server or a service may take.
pub(super) const READY: Duration = Duration::from_secs(30);
/// How long a service may take to stop: the limit of the service itself, and a little more.
const STOPPED: Duration = Duration::from_secs(30);

/// A process of a service. Dropping it kills the process.
pub struct Replica {
    /// The service.
    pub service: Service,
    /// The base URL of the HTTP API. Only a gateway listens on it.
    pub base: String,
    /// The base URL of `/healthz`, `/readyz` and `/metrics`.
    pub(super) ops: String,
    pub(super) process: Child,
}

impl Replica {
    /// Waits until the service is ready.
    ///
    /// # Errors
    /// When the process ends, or is not ready in time.
    pub async fn until_ready(&mut self) -> Result<()> {
        let (started, service) = (Instant::now(), self.service);
        let http = reqwest::Client::builder().no_proxy().build()?;
        loop {
            ensure!(self.process.try_wait()?.is_none(), "{service} has ended: its words are above");
            let ready = http.get(format!("{}/readyz", self.ops)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(started.elapsed() < READY, "{service} is not ready after {} s", READY.as_secs());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the process.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Suspends the process, like a machine that hangs.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn freeze(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::STOP)?)
    }

    /// Lets a suspended process run again.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn thaw(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::CONT)?)
    }

    /// Returns whether the process has ended.
    ///
    /// # Errors
    /// When the operating system does not report the state of the process.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Stops the process with SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// When the process takes longer than 30 s, or ends with an error.
    pub async fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "it ended with {status}");
                return Ok(());
            }
            ensure!(asked.elapsed() < STOPPED, "it still runs after {} s", STOPPED.as_secs());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // The process may have ended already, and nobody can act on an error here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
