use kit::{Metrics, metrics::Counter};

use super::Bound;

/// The number of calls that were refused, for each limit.
#[derive(Clone, Debug)]
pub(crate) struct LimitMetrics([Counter; Bound::ALL.len()]);

impl LimitMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "Calls that were refused because their caller asks too much";
        Self(metrics.counters("t3_http_limited", help, "bound", Bound::ALL))
    }

    /// Counts a call that was refused because of this limit.
    pub(super) fn refused(&self, bound: Bound) {
        self.0[bound as usize].inc();
    }
}
