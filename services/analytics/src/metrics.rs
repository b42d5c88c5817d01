//! The metrics that only analytics has.

use kit::{
    Metrics,
    metrics::{ANSWERS, DELAYS, Histogram, SIZES},
};

/// The metrics of counting windows.
#[derive(Clone, Debug)]
pub(crate) struct CountingMetrics {
    /// The time from an event's arrival in the stream until its windows are counted, in seconds.
    pub(crate) delay: Histogram,
    /// The number of windows in a batch.
    pub(crate) together: Histogram,
    /// The duration of counting a batch, in seconds.
    pub(crate) took: Histogram,
}

impl CountingMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            delay: metrics.histogram(
                "t3_window_count_delay_seconds",
                "From the word that windows are recorded until reports count them, for each event",
                DELAYS,
            ),
            together: metrics.histogram("t3_count_round_windows", "Windows that were counted together", SIZES),
            took: metrics.histogram("t3_count_round_duration_seconds", "Counting windows together", ANSWERS),
        }
    }
}
