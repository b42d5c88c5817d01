//! Rates and percentiles of the requests of a load.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

/// The result of a load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    /// The name of the load.
    pub(crate) name: String,
    /// The number of windows (or documents, messages, answers) per second.
    pub(crate) rate: f64,
    /// The median time until an answer, in milliseconds.
    pub(crate) p50: f64,
    /// The 95th percentile of the times, in milliseconds.
    pub(crate) p95: f64,
    /// The 99th percentile of the times, in milliseconds.
    pub(crate) p99: f64,
    /// The number of answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
}

impl Measured {
    /// Computes the result of requests with `windows` windows each. `micros` has the time of each
    /// request in microseconds.
    pub(crate) fn of(name: &str, mut micros: Vec<u32>, windows: usize, lasted: Duration) -> Self {
        micros.sort_unstable();
        let at = |share: f64| {
            let place = ((micros.len() as f64 * share) as usize).min(micros.len().saturating_sub(1));
            micros.get(place).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
        };
        let rate = (micros.len() * windows) as f64 / lasted.as_secs_f64();
        Self { name: name.to_owned(), rate, p50: at(0.5), p95: at(0.95), p99: at(0.99), statuses: BTreeMap::new() }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rate, p50, p99, statuses, .. } = self;
        write!(f, "{name:<44} {rate:>9.0}/s  p50 {p50:>8.2} ms  p99 {p99:>8.2} ms")?;
        for (status, count) in statuses.iter().filter(|(status, _)| **status != 200 && **status != 201) {
            write!(f, "  {count} times {status}")?;
        }
        Ok(())
    }
}
