//! The metrics of this service, in addition to the metrics of every service.

use kit::{
    Metrics,
    metrics::{ANSWERS, Counter, Gauge, Histogram},
};

use crate::domain::Of;

/// The metrics of hashing passwords.
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

/// Counts refused attempts, by the record that caused the refusal.
#[derive(Clone, Debug)]
pub(crate) struct ThrottleMetrics([Counter; 3]);

impl ThrottleMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "Log-ins and the like that were refused because too many had failed";
        Self(metrics.counters("t3_attempts_refused", help, "of", ["pair", "account", "address"]))
    }

    /// Counts a refusal that this record has caused.
    pub(crate) fn refused(&self, of: Of) {
        self.0[of as usize].inc();
    }
}
