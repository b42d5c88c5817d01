use clap::Args;

/// The largest value of a limit. A higher one would allow more than a call every 60 ns, which no
/// gateway can handle.
const MOST: i64 = 1_000_000_000;

/// The rate limits of one gateway process. The calls of a whole minute may come at once.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Limits {
    /// The largest number of calls a minute of one API key or person, except posts of windows; 0
    /// means no limit.
    #[arg(long, env = "RATE_LIMIT_CALLS", value_parser = clap::value_parser!(u32).range(..=MOST), default_value = "6000")]
    pub rate_limit_calls: u32,
    /// The largest number of posts of windows a minute of one person, where a batch counts as one
    /// post; 0 means no limit.
    #[arg(long, env = "RATE_LIMIT_WINDOWS", value_parser = clap::value_parser!(u32).range(..=MOST), default_value = "60000")]
    pub rate_limit_windows: u32,
    /// The largest number of calls a minute from one address without credentials or with wrong
    /// ones; 0 means no limit. All clients of a proxy count as one address, unless the proxy is one
    /// of `TRUSTED_PROXIES`.
    #[arg(long, env = "RATE_LIMIT_ADDRESSES", value_parser = clap::value_parser!(u32).range(..=MOST), default_value = "6000")]
    pub rate_limit_addresses: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rate_limit_calls: 6_000, rate_limit_windows: 60_000, rate_limit_addresses: 6_000 }
    }
}

impl Limits {
    /// No limits, for load generators.
    pub fn off() -> Self {
        Self { rate_limit_calls: 0, rate_limit_windows: 0, rate_limit_addresses: 0 }
    }
}
