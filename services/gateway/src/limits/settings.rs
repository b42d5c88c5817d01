use clap::Args;

/// The largest limit: more than a call every 60 ns is no limit at all.
const MOST: i64 = 1_000_000_000;

/// The rate limits of one gateway. Bursts of a whole minute's calls are allowed.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Limits {
    /// The most calls a minute of one key or person, the posting of windows aside; 0 is no such bound.
    #[arg(long, env = "RATE_LIMIT_CALLS", value_parser = clap::value_parser!(u32).range(..=MOST), default_value = "6000")]
    pub rate_limit_calls: u32,
    /// The most posts of windows a minute of one person, a batch being one; 0 is no such bound.
    #[arg(long, env = "RATE_LIMIT_WINDOWS", value_parser = clap::value_parser!(u32).range(..=MOST), default_value = "60000")]
    pub rate_limit_windows: u32,
    /// The most calls a minute without credentials, or with wrong ones, of one address; 0 is no such
    /// bound. All clients of a proxy have one address, unless it is one of `TRUSTED_PROXIES`.
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
