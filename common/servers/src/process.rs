//! A child process that is watched, can be signalled, and always ends before its owner does.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::log_file::LogFile;
use crate::spawner;

/// The pause between two checks of a log file or a lock.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// An error that says how a server has ended: its name, its exit status, and the last lines of its
/// log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{program} ended ({status}). Its log, {}, ends with:\n{last_lines}", log.display())]
pub struct Exited {
    /// The name of the program.
    pub program: &'static str,
    /// The exit status, such as `exit status: 1` or `signal: 9 (SIGKILL)`.
    pub status: String,
    /// The path of the program's log.
    pub log: PathBuf,
    /// The last errors that this run has logged, then the last lines of its log.
    pub last_lines: String,
}

/// A running program. Dropping this value kills the program.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    pid: Pid,
    log: LogFile,
    /// Whether the child was reaped. After that, the kernel may give its process id to another
    /// process. So a signal is sent only while this lock is held and the child is not reaped.
    reaped: Arc<Mutex<bool>>,
    status: watch::Receiver<Option<ExitStatus>>,
    waiter: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the command. The output of the program is appended to the log file.
    pub(crate) fn start(name: &'static str, mut command: Command, log: &Path) -> Result<Self> {
        let (log, output) =
            LogFile::open(log).with_context(|| format!("cannot write the log file {}", log.display()))?;
        let errors = output.try_clone().context("cannot share a log file")?;
        command.stdout(output).stderr(errors);
        let program = command.get_program().to_owned();
        let child = spawner::spawn(command).with_context(|| format!("cannot start {}", program.display()))?;
        let pid = Pid::from_child(&child);
        let reaped = Arc::new(Mutex::new(false));
        let (tell, status) = watch::channel(None);
        let waiter = {
            let reaped = reaped.clone();
            thread::Builder::new()
                .name(format!("wait-{name}"))
                .spawn(move || tell_when_gone(pid, child, &reaped, &tell))
                .context("cannot start a thread")?
        };
        Ok(Self { name, pid, log, reaped, status, waiter: Some(waiter) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(crate) fn log(&self) -> &LogFile {
        &self.log
    }

    /// Sends a signal to the process group of the program, unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped && let Err(error) = kill_process_group(self.pid, signal) {
            tracing::debug!(program = self.name, %error, "signal not sent");
        }
    }

    /// Resolves when the program has ended, for whatever reason.
    pub(crate) fn exited(&self) -> impl Future<Output = Exited> + Send + use<> {
        let (name, log, mut status) = (self.name, self.log.clone(), self.status.clone());
        async move {
            let status = status.wait_for(Option::is_some).await;
            Exited {
                program: name,
                status: match status.ok().and_then(|status| *status) {
                    Some(status) => status.to_string(),
                    None => "nobody knows how".into(),
                },
                log: log.path().to_owned(),
                last_lines: log.last_lines(),
            }
        }
    }

    /// The exit status, if the program has ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }

    /// Waits until this run has logged this text. Fails if the program ends first, or at the time
    /// limit.
    pub(crate) async fn until_log_says(&self, words: &str, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !self.log.says(words) {
            if self.status().is_some() {
                return Err(self.exited().await.into());
            }
            if Instant::now() > deadline {
                anyhow::bail!(
                    "{} was not ready after {limit:?}. Its log, {}, ends with:\n{}",
                    self.name,
                    self.log.path().display(),
                    self.log.last_lines()
                );
            }
            sleep(TICK).await;
        }
        Ok(())
    }

    /// Sends SIGTERM and waits until the program has ended. Kills the program at the time limit.
    pub(crate) async fn stop(&mut self, limit: Duration) {
        self.signal(Signal::TERM);
        // A suspended program receives SIGTERM only after SIGCONT.
        self.signal(Signal::CONT);
        if timeout(limit, self.exited()).await.is_err() {
            tracing::warn!(program = self.name, ?limit, "did not stop in time, killed");
            self.kill().await;
        }
    }

    /// Kills the program and waits until it has ended.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.exited().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // Waits for the end of the program, which takes a few milliseconds. Otherwise its port and
        // its folder could still be in use after the drop.
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
    }
}

fn tell_when_gone(pid: Pid, mut child: Child, reaped: &Mutex<bool>, tell: &watch::Sender<Option<ExitStatus>>) {
    // Waits for the end without reaping the child, so that its process id stays reserved until the
    // lock is held.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), look) {}
    let mut reaped = reaped.lock().unwrap_or_else(PoisonError::into_inner);
    let status = child.wait();
    *reaped = true;
    drop(reaped);
    tell.send_replace(status.ok());
}

/// Locks a server's folder. The server inherits the locked file as its standard input.
///
/// So the lock lasts until the *server* ends, even if this process ends first, and no second server
/// can start on the same files. If the server of an earlier process is just ending, waits at most
/// 10 seconds for its end.
pub(crate) async fn lock(folder: &Path) -> Result<File> {
    const LIMIT: Duration = Duration::from_secs(10);
    let path = folder.join("lock");
    let file = crate::folder::open_lock(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = file.try_lock() {
        if Instant::now() > deadline {
            return Err(anyhow::Error::new(error).context(format!(
                "another server still uses the folder {}: stop it, or use another folder",
                folder.display()
            )));
        }
        sleep(TICK).await;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Process) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        let process = Process::start("sh", command, &folder.path().join("sh.log")).unwrap();
        (folder, process)
    }

    #[tokio::test]
    async fn a_program_that_ends_by_itself_tells_how_and_what_it_said() {
        let (_folder, process) = shell("echo no space left; exit 3");
        let exited = timeout(Duration::from_secs(10), process.exited()).await.unwrap();
        assert_eq!(exited.status, "exit status: 3");
        assert_eq!(exited.last_lines, "  no space left");
        // A signal after the end has no effect.
        process.signal(Signal::KILL);
    }

    #[tokio::test]
    async fn a_program_that_ignores_the_request_to_stop_is_killed() {
        let (_folder, mut process) = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
        process.until_log_says("ready", Duration::from_secs(10)).await.unwrap();
        process.stop(Duration::from_millis(50)).await;
        assert!(process.exited().await.status.contains("SIGKILL"));
    }

    #[tokio::test]
    async fn a_paused_program_still_stops_when_asked() {
        let (_folder, mut process) = shell("echo ready; while :; do read x </dev/null; done");
        process.until_log_says("ready", Duration::from_secs(10)).await.unwrap();
        process.signal(Signal::STOP);
        process.stop(Duration::from_secs(10)).await;
        assert!(process.exited().await.status.contains("SIGTERM"));
    }
}
