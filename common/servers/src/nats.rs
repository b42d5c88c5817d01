//! A NATS server with JetStream, on a loopback address by default.

use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::Process;
use crate::server::{Options, Server};
use crate::{Place, folder};

/// The settings of a NATS server.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// The path of `nats-server`, from [`crate::Programs`].
    pub program: PathBuf,
    /// The folder of this server: configuration, log and, in `jetstream`, its streams.
    pub dir: PathBuf,
    /// The address that the server listens on; loopback by default.
    pub place: Place,
    /// Whether JetStream syncs to disk before it acknowledges (`sync_interval: always`). Without
    /// this, a power failure can lose acknowledged messages; a crash of the server cannot.
    pub sync_always: bool,
    /// Text that is appended to the configuration, such as accounts with their users.
    pub extra: String,
}

impl NatsOptions {
    /// Settings of a server that syncs before it acknowledges, without appended text.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>) -> Self {
        let (place, extra) = (Place::default(), String::new());
        Self { program: program.into(), dir: dir.into(), place, sync_always: true, extra }
    }
}

/// A running NATS server. Its first port is for clients, its second port for monitoring.
pub type Nats = Server<NatsOptions, 2>;

/// How long a start may take. The recovery of large streams takes a while.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The most bytes that all streams together may store.
const MOST_STORED: u64 = 16 << 30;

impl Nats {
    /// The URL for clients: `nats://<address>:<port>`.
    pub fn url(&self) -> String {
        format!("nats://{}:{}", self.options.place.host, self.ports[0])
    }

    /// The URL of the monitoring port: `http://<address>:<port>`, with `/varz` and `/jsz`.
    pub fn monitor_url(&self) -> String {
        format!("http://{}:{}", self.options.place.host, self.ports[1])
    }
}

impl Options<2> for NatsOptions {
    const NAME: &'static str = "nats-server";

    fn dir(&mut self) -> &mut PathBuf {
        &mut self.dir
    }

    async fn launch(&self, ports: [u16; 2], lock: &File) -> Result<Option<Process>> {
        let configuration = self.dir.join("nats.conf");
        folder::write(&configuration, &configuration_text(self, ports))
            .with_context(|| format!("cannot write {}", configuration.display()))?;
        let mut command = self.place.command(&self.program);
        command
            .arg("--config")
            .arg(&configuration)
            .current_dir(&self.dir)
            .stdin(lock.try_clone().context("cannot share a lock")?);
        let process = Process::start("nats-server", command, &self.dir.join("nats.log"))?;
        match process.until_log_says("Server is ready", START_LIMIT).await {
            Ok(()) => Ok(Some(process)),
            Err(_) if process.log().says("address already in use") => Ok(None),
            Err(error) => Err(error.context("NATS did not start")),
        }
    }
}

fn configuration_text(options: &NatsOptions, ports: [u16; 2]) -> String {
    let mut text = String::from("# Written at each start: changes made here are lost.\n");
    let mut line = |line: std::fmt::Arguments<'_>| {
        // An error is ignored: writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    line(format_args!("listen: \"{}:{}\"", options.place.host, ports[0]));
    line(format_args!("http: \"{}:{}\"", options.place.host, ports[1]));
    // The most bytes of a message from any client.
    line(format_args!("max_payload: {}", 1 << 20));
    // With these two settings, the server ends the connection of a client that has stopped reading;
    // this takes about 6 s. With the defaults it takes minutes, in which such a client still gets
    // its share of the requests.
    line(format_args!("ping_interval: \"2s\""));
    line(format_args!("ping_max: 2"));
    line(format_args!("jetstream {{"));
    // The server stores the streams in the folder `jetstream` below this path.
    line(format_args!("  store_dir: {}", quoted(&options.dir)));
    // Without this, the limit is three quarters of the free disk space. On a nearly full disk the
    // server would then refuse streams with a higher limit of their own.
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
