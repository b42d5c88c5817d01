//! Whether the stream has dropped what the trail has not read: then the trail says so.
//!
//! What was taken is known from a mark in the database, written now and then while nothing of ours
//! waits, and from what this process has seen itself. The consumer's acknowledgement floor says
//! nothing: the server moves it past what is purged.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use contracts::{Millis, Service, stream};
use kit::{Shutdown, metrics::sample};

use crate::{App, domain::gap};

/// How old a mark gets before the next is written, in milliseconds. After a longer absence, the
/// trail may take so much of the stream for a gap that held nothing of ours; never less.
const MARK_EVERY: i64 = 5 * 60 * 1_000;

/// Looks every few seconds, until shutdown.
pub(crate) fn look_for_gaps(app: Arc<App>, shutdown: &Shutdown) {
    let seen = Arc::new(AtomicU64::new(0));
    sample(shutdown, move || {
        let (app, seen) = (app.clone(), seen.clone());
        async move { look(&app, &seen).await }
    });
}

async fn look(app: &App, seen: &AtomicU64) -> anyhow::Result<()> {
    // The stream first: whatever it held then is taken if nothing waits after that.
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
