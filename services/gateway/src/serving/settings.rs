use std::time::Duration;

use clap::Args;

/// How many connections there may be, and how long a client may take. Whoever takes longer is
/// disconnected.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Connections {
    /// The most connections at once; by default what the limit of open files leaves, at most 10000.
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_max_connections: Option<u32>,
    /// The most connections of one address; 0 is no such bound, by default half of all. It is none for
    /// `TRUSTED_PROXIES`, which have many clients behind them.
    #[arg(long, env = "HTTP_MAX_CONNECTIONS_PER_ADDRESS")]
    pub http_max_connections_per_address: Option<u32>,
    /// How many seconds the head of a request may take, from its first byte.
    #[arg(long, env = "HTTP_HEAD_SECONDS", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_head_seconds: u32,
    /// How many seconds of silence there may be in a body; all of it may take as long, and a second
    /// more for every 8 KiB.
    #[arg(long, env = "HTTP_BODY_SECONDS", default_value = "30", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_body_seconds: u32,
    /// How many seconds a connection may be open without a request. A proxy must give its connections
    /// up earlier.
    #[arg(long, env = "HTTP_IDLE_SECONDS", default_value = "75", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_idle_seconds: u32,
    /// For how many seconds a client may take nothing of an answer.
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
