//! The metrics that only mailer has.

use std::sync::Arc;

use kit::{
    Metrics, Shutdown,
    metrics::{Counter, Gauge, sample},
};

use crate::{App, store::Outcome};

/// The counter of attempts to send a mail, and the gauges of waiting mails.
#[derive(Clone, Debug)]
pub(crate) struct MailMetrics {
    attempts: [Counter; 5],
    waiting: Gauge,
    refused: Gauge,
}

impl MailMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let outcomes = ["sent", "failed", "again", "refused", "unneeded"];
        Self {
            attempts: metrics.counters(
                "t3_mail_attempts",
                "What became of attempts to send a mail",
                "outcome",
                outcomes,
            ),
            waiting: metrics.gauge("t3_mails_waiting", "Mails that are not settled: to be sent, now or again"),
            refused: metrics.gauge("t3_mails_refused", "Those that wait because a mail server refuses us"),
        }
    }

    /// Counts an attempt with this outcome.
    pub(crate) fn attempted(&self, outcome: Outcome<'_>) {
        let [sent, failed, again, refused, unneeded] = &self.attempts;
        match outcome {
            Outcome::Sent => sent.inc(),
            Outcome::Failed(_) => failed.inc(),
            Outcome::Pending(_) | Outcome::Untried => again.inc(),
            Outcome::Refused(_) => refused.inc(),
            Outcome::Unneeded => unneeded.inc(),
        };
    }
}

/// Measures the number of waiting mails again and again, until shutdown.
pub(crate) fn watch(app: &Arc<App>, shutdown: &Shutdown) {
    let app = app.clone();
    sample(shutdown, move || {
        let app = app.clone();
        async move {
            let (waiting, refused) = app.deliveries.waiting().await?;
            app.metrics.waiting.set(waiting as i64);
            app.metrics.refused.set(refused as i64);
            Ok::<(), kit::Error>(())
        }
    });
}
