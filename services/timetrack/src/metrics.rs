//! The metrics that only timetrack has.

use std::sync::Arc;

use async_nats::jetstream::stream::Stream;
use contracts::{Code, Millis, Outcome, stream};
use kit::{
    Bus, Metrics, Shutdown,
    metrics::{ANSWERS, Counter, DELAYS, Gauge, Histogram, SIZES, sample, seconds},
};

use crate::{App, consumers::Arrival, store::LAYOUTS};

/// The metrics of windows, quarantine, streams and migrations.
#[derive(Clone, Debug)]
pub(crate) struct TimetrackMetrics {
    settled: [Counter; 5],
    checked: [Counter; 2],
    delay: Histogram,
    together: Histogram,
    pub(crate) took: Histogram,
    quarantined: [Gauge; REASONS.len()],
    waiting: Gauge,
    streams: Sizes,
    to_migrate: [Gauge; LAYOUTS.len()],
}

/// The gauges of the messages, the bytes and the byte limit, each for every stream.
type Sizes = [[Gauge; STREAMS.len()]; 3];

/// The reasons for quarantine: codes, each with its label in the metric.
const REASONS: [(Code, &str); 13] = [
    (Code::ClockAhead, "clock_ahead"),
    (Code::ClockBehind, "clock_behind"),
    (Code::PeriodLocked, "period_locked"),
    (Code::Conflict, "conflict"),
    (Code::UnknownEmployee, "unknown_employee"),
    (Code::UnknownProject, "unknown_project"),
    (Code::UnknownTask, "unknown_task"),
    (Code::EmployeeDeactivated, "employee_deactivated"),
    (Code::ProjectArchived, "project_archived"),
    (Code::NotOnProject, "not_on_project"),
    (Code::NotOnTask, "not_on_task"),
    (Code::Invalid, "invalid"),
    (Code::Unavailable, "unavailable"),
];

/// The streams whose sizes this service measures, for all services.
const STREAMS: [&str; 3] = [stream::EVENTS, stream::INGEST, stream::DEAD];

impl TimetrackMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let outcomes = ["stored", "duplicate", "conflict", "rejected", "queued"];
        let sizes = |name, help| metrics.gauges(name, help, "stream", STREAMS);
        Self {
            settled: metrics.counters("t3_windows_settled", "What became of windows", "outcome", outcomes),
            checked: metrics.counters(
                "t3_windows_checked",
                "Windows, by where it was looked up whether they may be recorded",
                "by",
                ["memory", "database"],
            ),
            delay: metrics.histogram(
                "t3_window_record_delay_seconds",
                "From a window's arrival at the gateway until it is recorded",
                DELAYS,
            ),
            together: metrics.histogram("t3_record_batch_windows", "Windows that were recorded together", SIZES),
            took: metrics.histogram("t3_record_duration_seconds", "Recording windows together", ANSWERS),
            quarantined: metrics.gauges(
                "t3_quarantine_windows",
                "Windows in quarantine that are still to be decided, by reason, counted up to 10000 each",
                "code",
                REASONS.map(|(_, word)| word),
            ),
            waiting: metrics.gauge("t3_quarantine_waiting_windows", "Those that wait because they may only be early"),
            streams: [
                sizes("t3_stream_messages", "Messages in a stream"),
                sizes("t3_stream_size_bytes", "Bytes of a stream"),
                sizes("t3_stream_limit_bytes", "The most bytes of a stream"),
            ],
            to_migrate: metrics.gauges(
                "t3_migration_left_documents",
                "Documents that a migration has still to look at: some may be of an earlier layout",
                "collection",
                LAYOUTS.map(|layout| layout.collection()),
            ),
        }
    }

    /// Counts windows by whether the cache or the database decided about them.
    pub(crate) fn checked(&self, by_memory: usize, by_database: usize) {
        self.checked[0].inc_by(by_memory as u64);
        self.checked[1].inc_by(by_database as u64);
    }

    /// Counts the outcomes of a batch of windows. `received_at` has the arrival of each window, in
    /// the same order.
    pub(crate) fn settled<'a>(&self, received_at: &[Millis], outcomes: impl Iterator<Item = &'a Outcome>, now: Millis) {
        self.together.observe(received_at.len() as f64);
        for (outcome, at) in outcomes.zip(received_at) {
            let which = match outcome {
                Outcome::Stored(_) => 0,
                Outcome::Duplicate(_) => 1,
                Outcome::Conflict => 2,
                Outcome::Rejected { .. } => 3,
                Outcome::Queued => 4,
            };
            self.settled[which].inc();
            if which == 0 {
                self.delay.observe(seconds(now - *at));
            }
        }
    }
}

/// For each of these windows, when it reached the gateway.
pub(crate) fn received(arrivals: &[Arrival]) -> Vec<Millis> {
    arrivals.iter().map(|arrival| arrival.item.received_at).collect()
}

/// Updates the metrics of the quarantine, the layouts and the streams every five seconds, until
/// shutdown.
pub(crate) fn watch(app: &Arc<App>, shutdown: &Shutdown) {
    let held = app.clone();
    sample(shutdown, move || {
        let app = held.clone();
        async move {
            let (sizes, waiting) = app.store.quarantine.sizes(REASONS.map(|(code, _)| code)).await?;
            for ((code, _), gauge) in REASONS.iter().zip(&app.metrics.quarantined) {
                gauge.set(sizes.get(code).copied().unwrap_or_default() as i64);
            }
            app.metrics.waiting.set(waiting as i64);
            Ok::<(), kit::Error>(())
        }
    });
    let stored = app.clone();
    sample(shutdown, move || {
        let app = stored.clone();
        async move {
            // This call also updates the layouts that this process writes.
            let states = app.store.layouts.look().await.inspect_err(|error| {
                if !error.is_away() {
                    tracing::error!(%error, "this program cannot go on");
                }
            })?;
            for (state, gauge) in states.iter().zip(&app.metrics.to_migrate) {
                gauge.set(state.left as i64);
            }
            Ok::<(), kit::Error>(())
        }
    });
    let app = app.clone();
    sample(shutdown, move || {
        let app = app.clone();
        async move { measure_streams(&app.bus, &app.metrics.streams).await }
    });
}

async fn measure_streams(bus: &Bus, [messages, bytes, limit]: &Sizes) -> anyhow::Result<()> {
    for (n, name) in STREAMS.into_iter().enumerate() {
        let stream: Stream = bus.jetstream.get_stream(name).await?;
        let info = stream.cached_info();
        messages[n].set(info.state.messages as i64);
        bytes[n].set(info.state.bytes as i64);
        limit[n].set(info.config.max_bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_s_word_is_that_of_the_api() {
        for (code, word) in REASONS {
            assert_eq!(serde_json::to_value(code).expect("JSON"), word);
        }
    }
}
