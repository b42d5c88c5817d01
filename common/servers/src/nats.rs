//! A NATS server with JetStream, on loopback.

use std::fmt::Write;
use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::process::{self, Exited, Process};
use crate::{Place, folder, port};

/// How a NATS server is started.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// The program, from [`crate::Programs`].
    pub program: PathBuf,
    /// The folder of this server alone: configuration, log and, in `jetstream`, its streams.
    pub dir: PathBuf,
    /// Where it runs: on loopback unless this says otherwise.
    pub place: Place,
    /// Whether JetStream acknowledges only what it has fsynced (`sync_interval: always`). Off, a
    /// power cut can take acknowledged messages; the crash of the server alone cannot.
    pub sync_always: bool,
    /// Configuration text put after ours: accounts, users and their permissions.
    pub extra: String,
}

impl NatsOptions {
    /// A server that fsyncs, with nothing extra.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            dir: dir.into(),
            place: Place::default(),
            sync_always: true,
            extra: String::new(),
        }
    }
}

/// A running NATS server. Dropping it kills it, and so does the end of this process.
#[derive(Debug)]
pub struct Nats {
    options: NatsOptions,
    /// For clients, and for monitoring.
    ports: [u16; 2],
    process: Process,
}

/// Recovering large streams takes a while.
const READY: Duration = Duration::from_secs(60);
const STOPPED: Duration = Duration::from_secs(10);
const ATTEMPTS: usize = 10;
/// What all streams together may be bounded to, in bytes.
const MOST_STORED: u64 = 16 << 30;

impl Nats {
    /// Starts the server and waits until it takes clients. It gets the ports it had the last time
    /// in this folder, if they are free.
    pub async fn start(mut options: NatsOptions) -> Result<Self> {
        options.dir =
            folder::create(&options.dir).with_context(|| format!("cannot create {}", options.dir.display()))?;
        let lock = process::lock(&options.dir).await?;
        let mut remembered = port::remembered(&options.dir);
        for _ in 0..ATTEMPTS {
            let ports = match remembered.take() {
                Some(ports) => ports,
                None => port::some_free()?,
            };
            if let Some(process) = launch(&options, ports, &lock).await? {
                port::remember(&options.dir, &ports)?;
                return Ok(Self { options, ports, process });
            }
        }
        bail!("nats-server found no free port on {} in {ATTEMPTS} attempts", options.place.host)
    }

    /// Where clients connect: `nats://<address>:<port>`.
    pub fn url(&self) -> String {
        format!("nats://{}:{}", self.options.place.host, self.ports[0])
    }

    /// Where the server tells about itself: `http://<address>:<port>`, with `/varz` and `/jsz`.
    pub fn monitor_url(&self) -> String {
        format!("http://{}:{}", self.options.place.host, self.ports[1])
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

    /// Asks the server to stop and waits for it, 10 s at most; then kills it.
    pub async fn stop(&mut self) {
        self.process.stop(STOPPED).await;
    }

    /// Ends the server as a crash would.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Starts the server again, after [`stop`](Self::stop), [`kill`](Self::kill) or its own end:
    /// same files, same address. One that still runs is killed first.
    pub async fn start_again(&mut self) -> Result<()> {
        self.kill().await;
        let lock = process::lock(&self.options.dir).await?;
        let launched = launch(&self.options, self.ports, &lock).await?;
        self.process = launched.with_context(|| {
            let port = self.ports[0];
            format!("somebody else took the port {port} (or the one for monitoring) of NATS")
        })?;
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

/// `None`: somebody was faster and has a port.
async fn launch(options: &NatsOptions, ports: [u16; 2], lock: &File) -> Result<Option<Process>> {
    let configuration = options.dir.join("nats.conf");
    folder::write(&configuration, &configuration_text(options, ports))
        .with_context(|| format!("cannot write {}", configuration.display()))?;
    let mut command = options.place.command(&options.program);
    command
        .arg("--config")
        .arg(&configuration)
        .current_dir(&options.dir)
        .stdin(lock.try_clone().context("cannot share a lock")?);
    let process = Process::start("nats-server", command, &options.dir.join("nats.log"))?;
    match process.until_log_says("Server is ready", READY).await {
        Ok(()) => Ok(Some(process)),
        Err(_) if process.log().says("address already in use") => Ok(None),
        Err(error) => Err(error.context("NATS did not start")),
    }
}

fn configuration_text(options: &NatsOptions, ports: [u16; 2]) -> String {
    let mut text = String::from("# Written at each start: changes made here are lost.\n");
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    };
    line(format_args!("listen: \"{}:{}\"", options.place.host, ports[0]));
    line(format_args!("http: \"{}:{}\"", options.place.host, ports[1]));
    // What a message may be long, everywhere: larger ones are a mistake.
    line(format_args!("max_payload: {}", 1 << 20));
    // A process that stands still keeps its share of the questions until the server lets go of it:
    // after about 6 s, where the default would be minutes.
    line(format_args!("ping_interval: \"2s\""));
    line(format_args!("ping_max: 2"));
    line(format_args!("jetstream {{"));
    // The server itself adds `jetstream` to the path.
    line(format_args!("  store_dir: {}", quoted(&options.dir)));
    // Said here, or the server takes three quarters of what is free on the disk just now, and on a
    // disk that is nearly full refuses streams whose bounds are larger than that.
    line(format_args!("  max_file_store: {MOST_STORED}"));
    if options.sync_always {
        line(format_args!("  sync_interval: always"));
    }
    line(format_args!("}}"));
    line(format_args!("{}", options.extra));
    text
}

fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_configuration_stands_after_ours() {
        let mut options = NatsOptions::new("nats-server", "/tmp/a \"b\"");
        options.extra = "authorization { users: [] }".into();
        let text = configuration_text(&options, [20_001, 20_002]);
        assert!(text.contains("listen: \"127.0.0.1:20001\"\n"), "{text}");
        assert!(text.contains("store_dir: \"/tmp/a \\\"b\\\"\"\n"), "{text}");
        assert!(text.contains("sync_interval: always\n"), "{text}");
        assert!(text.contains("max_file_store: 17179869184\n"), "{text}");
        assert!(text.ends_with("}\nauthorization { users: [] }\n"), "{text}");
    }
}
