//! What directory tells about itself, beside what every service does.

use kit::{
    Metrics,
    metrics::{ANSWERS, Counter, Gauge, Histogram},
};

/// How the hashing of passwords goes.
#[derive(Clone, Debug)]
pub(crate) struct HashingMetrics {
    pub(crate) waiting: Gauge,
    pub(crate) refused: Counter,
    pub(crate) took: Histogram,
}

impl HashingMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            waiting: metrics.gauge("t3_passwords_waiting", "Passwords that wait for the hashing thread"),
            refused: metrics.counter("t3_passwords_refused", "Those that were refused because too many waited"),
            took: metrics.histogram("t3_password_hash_duration_seconds", "Hashing one password", ANSWERS),
        }
    }
}
