//! Detects that messages of EVENTS were purged before the trail recorded them, and adds an entry
//! about the gap.
//!
//! Two values say how far the trail has read the stream: a mark in the database, and the position
//! that this process has seen. A new mark is written when the last one is five minutes old, and
//! after a gap was found. The consumer's acknowledgement floor cannot be used, because the server
//! moves it past purged messages.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use contracts::{Millis, Service, stream};
use kit::{Shutdown, metrics::sample};

use crate::{App, domain::gap};

/// The age of a mark after which a new one is written, in milliseconds. After a restart, a gap is
/// searched from the last mark on. So a gap may be reported although the trail had read the purged
/// messages, or they were not for the trail. No gap is missed.
const MARK_EVERY: i64 = 5 * 60 * 1_000;

/// Searches for gaps every five seconds, until shutdown.
pub(crate) fn look_for_gaps(app: Arc<App>, shutdown: &Shutdown) {
    let seen = Arc::new(AtomicU64::new(0));
    sample(shutdown, move || {
        let (app, seen) = (app.clone(), seen.clone());
        async move { look(&app, &seen).await }
    });
}

async fn look(app: &App, seen: &AtomicU64) -> anyhow::Result<()> {
    // The stream must be read before the consumer: if the consumer then has no pending message, the
    // trail has every message up to `last`. In the other order, a message that arrives in between
    // would be missed.
    let stream = app.bus.jetstream.get_stream(stream::EVENTS).await?;
    let (first, last) = (stream.cached_info().state.first_sequence, stream.cached_info().state.last_sequence);
    let consumer = stream.consumer_info(Service::Audit.name()).await?;
    let mark = app.store.marks.last(last).await?;
    let marked = mark.map_or(0, |(seq, _)| seq);
    let taken = marked.max(seen.load(Ordering::Relaxed));
    let (now, gap) = (app.clock.now(), gap(taken, first));
    if let Some(gap) = gap {
        tracing::error!(from = gap.from, to = gap.to, "the stream dropped events before the audit trail read them");
        let written = app.store.chain.record(vec![gap.fact(stream::EVENTS, now)]).await?;
        app.metrics.recorded(&written);
    }
    let waits = consumer.num_pending > 0 || consumer.num_ack_pending > 0;
    let taken = taken.max(first.saturating_sub(1)).max(if waits { 0 } else { last });
    seen.store(taken, Ordering::Relaxed);
    let is_old = mark.is_none_or(|(_, at): (u64, Millis)| now - at >= MARK_EVERY);
    if taken > marked && (is_old || gap.is_some()) {
        app.store.marks.mark(taken, now).await?;
    }
    Ok(())
}
