use std::time::Duration;

use clap::Args;

/// The limits of client connections: how many there may be, and how long a client may take. A
/// client that takes longer is disconnected.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Connections {
    /// The largest number of open connections. The default is what the limit of open files allows,
    /// at most 10000.
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_max_connections: Option<u32>,
    /// The largest number of open connections from one address; 0 means no limit. The default is
    /// half of the largest number for all addresses together. This limit does not apply to
    /// `TRUSTED_PROXIES`, because each has many clients.
    #[arg(long, env = "HTTP_MAX_CONNECTIONS_PER_ADDRESS")]
    pub http_max_connections_per_address: Option<u32>,
    /// The largest time for the head of a request, in seconds from its first byte.
    #[arg(long, env = "HTTP_HEAD_SECONDS", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_head_seconds: u32,
    /// The largest time between two parts of a request body, in seconds. The whole body may take
    /// this time, and one second more for every 8 KiB.
    #[arg(long, env = "HTTP_BODY_SECONDS", default_value = "30", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_body_seconds: u32,
    /// The largest time that a connection may be open without a request, in seconds. A proxy must
    /// close its idle connections earlier than this.
    #[arg(long, env = "HTTP_IDLE_SECONDS", default_value = "75", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_idle_seconds: u32,
    /// The largest time in which a client reads nothing of a response, in seconds.
    #[arg(long, env = "HTTP_WRITE_SECONDS", default_value = "30", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_write_seconds: u32,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            http_max_connections: None,
            http_max_connections_per_address: None,
            http_head_seconds: 10,
            http_body_seconds: 30,
            http_idle_seconds: 75,
            http_write_seconds: 30,
        }
    }
}

impl Connections {
    pub(crate) fn head(&self) -> Duration {
        seconds(self.http_head_seconds)
    }

    pub(crate) fn body(&self) -> Duration {
        seconds(self.http_body_seconds)
    }

    pub(crate) fn idle(&self) -> Duration {
        seconds(self.http_idle_seconds)
    }

    pub(crate) fn write(&self) -> Duration {
        seconds(self.http_write_seconds)
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}
