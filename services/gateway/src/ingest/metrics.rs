use contracts::{Code, Failure, Outcome};
use kit::{
    Metrics,
    metrics::{ANSWERS, Counter, Histogram, SIZES},
};

use super::Submitted;

/// The possible results of submitting a window, as label values of the metric.
const RESULTS: [&str; 8] =
    ["stored", "duplicate", "conflict", "rejected", "queued", "too_many_requests", "unavailable", "internal"];

/// The metrics of the windows that are submitted to INGEST.
#[derive(Clone, Debug)]
pub(super) struct IngestMetrics {
    /// The number of windows in each message.
    pub(super) batch_sizes: Histogram,
    /// The time in seconds until the stream acknowledged a message, or publishing it failed.
    pub(super) published: Histogram,
    answered: [Counter; RESULTS.len()],
}

impl IngestMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            batch_sizes: metrics.histogram("t3_ingest_message_windows", "Windows that left as one message", SIZES),
            published: metrics.histogram(
                "t3_ingest_publish_duration_seconds",
                "Handing a message to the stream INGEST, until it has it",
                ANSWERS,
            ),
            answered: metrics.counters(
                "t3_windows_answered",
                "What clients were told of their windows",
                "outcome",
                RESULTS,
            ),
        }
    }

    /// Counts the result of a window.
    pub(super) fn answered(&self, result: &Result<Submitted, Failure>) {
        let which = match result {
            Ok(Submitted { outcome: Outcome::Stored(_), .. }) => 0,
            Ok(Submitted { outcome: Outcome::Duplicate(_), .. }) => 1,
            Ok(Submitted { outcome: Outcome::Conflict, .. }) => 2,
            Ok(Submitted { outcome: Outcome::Rejected { .. }, .. }) => 3,
            Ok(Submitted { outcome: Outcome::Queued, .. }) => 4,
            Err(Failure { code: Code::TooManyRequests, .. }) => 5,
            Err(Failure { code: Code::Unavailable, .. }) => 6,
            Err(_) => 7,
        };
        self.answered[which].inc();
    }
}
