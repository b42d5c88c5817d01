//! Runs the program `stack` as a separate process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use testkit::eventually_within;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::api::Api;

/// The time limit for a start. A start is faster, even on a busy machine.
const START: Duration = Duration::from_secs(90);
/// The time limit for a stop.
pub const STOP: Duration = Duration::from_secs(25);

/// The program, with a folder in which it runs.
pub struct Program {
    folder: TempDir,
}

/// A run of the program.
pub struct Run {
    /// The process of the run.
    pub child: Child,
    /// The base URL of the API.
    pub base: String,
    /// The text that the program printed when it was ready.
    pub banner: String,
    /// The lines of standard output after this text.
    stdout: Lines<BufReader<ChildStdout>>,
    data: PathBuf,
}

impl Program {
    /// Returns the program with an empty folder.
    pub fn new() -> Self {
        Self { folder: testkit::folder() }
    }

    /// Returns the folder in which the program runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the data folder of the program.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Returns everything that the runs of this program have written to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("stderr")).unwrap()
    }

    /// Returns a command that starts the program without the .env file of the caller, and without
    /// the caller's environment variables except PATH, HOME, XDG_CACHE_HOME and TMPDIR.
    fn command(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
        command.env_clear().current_dir(self.folder()).kill_on_drop(true);
        for name in ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let log = File::options().create(true).append(true).open(self.folder().join("stderr")).unwrap();
        command.env("HTTP_ADDR", "127.0.0.1:0").env("T3_DATA", self.data()).envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        command
    }

    /// Starts the program, and waits until it is ready.
    pub async fn start(&self) -> Run {
        self.start_with(&[]).await
    }

    /// Starts the program with these environment variables, and waits until it is ready.
    pub async fn start_with(&self, settings: &[(&str, &str)]) -> Run {
        let mut child = self.command(settings).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = String::new();
        let read = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                banner += &format!("{line}\n");
                if line.trim_start().starts_with("Stop") {
                    return;
                }
            }
            panic!("it ended: {}", self.log());
        };
        timeout(START, read).await.unwrap_or_else(|_| panic!("not ready in time: {}", self.log()));
        let base = value(&banner, "API").to_owned();
        Run { child, base, banner, stdout: lines, data: self.data() }
    }

    /// Runs the program, which must refuse to start. Returns the exit code and the text on standard
    /// error.
    pub async fn refusal(&self, settings: &[(&str, &str)]) -> (Option<i32>, String) {
        let output = timeout(START, self.command(settings).output()).await.unwrap().unwrap();
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// Returns the processes whose command line contains the program's folder.
    pub fn processes(&self) -> Vec<(Pid, String)> {
        let ours = self.folder().to_str().unwrap().to_owned();
        let found = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
            (line.contains(&ours)).then(|| (Pid::from_raw(pid).unwrap(), line))
        });
        found.collect()
    }

    /// Waits until there is no process whose command line contains the folder.
    pub async fn until_nothing_runs(&self) {
        eventually_within(Duration::from_secs(10), "no process is left", async || {
            self.processes().is_empty().then_some(())
        })
        .await;
    }
}

impl Run {
    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap()
    }

    /// Waits until the process has ended, and returns its exit status.
    pub async fn ended(mut self) -> ExitStatus {
        timeout(STOP, self.child.wait()).await.expect("an end in time").unwrap()
    }

    /// Stops the process with SIGTERM, waits for its end, and returns its standard output.
    pub async fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        let mut said = self.banner.clone();
        while let Some(line) = timeout(STOP, self.stdout.next_line()).await.expect("an end in time").unwrap() {
            said += &format!("{line}\n");
        }
        assert!(self.ended().await.success());
        said
    }

    /// Returns a client of the API, for a run whose admin key is [`crate::api::ADMIN_KEY`].
    pub fn api(&self) -> Api {
        Api::new(self.base.clone(), self.data.clone())
    }

    /// Sends a request with the admin key of the run.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> reqwest::Response {
        let key = fs::read_to_string(value(&self.banner, "Admin key")).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        request.header("X-API-Key", key.trim()).json(&body).send().await.unwrap()
    }
}

/// Returns the value after a name in the banner.
pub fn value<'a>(banner: &'a str, name: &str) -> &'a str {
    let line = banner.lines().find_map(|line| line.trim_start().strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {banner}")).trim()
}
