//! The moment up to which the copy of the bindings in MongoDB is complete. Any replica may have
//! applied the events, so the moment is computed from the state of the consumer that all replicas
//! share.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::consumer::pull;
use contracts::{Millis, Service, stream};
use kit::Shutdown;
use tokio::{sync::Notify, time::timeout};

use super::memory::CatchUp;
use crate::{
    App,
    domain::{ConsumerReport, Known},
};

/// How often the moment up to which the copy is complete is updated while windows arrive.
const REFRESH: Duration = Duration::from_millis(200);
/// The time limit of one query of the consumer's state.
const QUERY_LIMIT: Duration = Duration::from_millis(500);
/// How often [`Knowledge::has`] queries the consumer's state before it gives up. [`PAUSE`] is the
/// pause between two queries.
const QUERIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// The moment up to which the copy of the bindings in MongoDB is complete, as of the last query of
/// the consumer's state.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    known: Mutex<Known>,
    /// The number of queries that have begun.
    begun: AtomicU64,
    /// Whether the last call of [`Self::has`] gave up. The next call then queries only once.
    is_behind: AtomicBool,
    work: Notify,
}

impl Knowledge {
    /// Until shutdown, updates the moment up to which the copy is complete while windows arrive.
    pub(crate) fn keep(app: Arc<App>, shutdown: &Shutdown) {
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                tokio::select! {
                    () = app.knowledge.work.notified() => {}
                    () = stop.stopping() => return,
                }
                if let Some(seen) = app.memory.seen() {
                    app.knowledge.query_consumer(&app, seen).await;
                }
                tokio::select! {
                    () = tokio::time::sleep(REFRESH) => {}
                    () = stop.stopping() => return,
                }
            }
        });
    }

    /// The moment up to which the copy has every published event, without a new query; none if that
    /// is unknown.
    pub(crate) fn up_to(&self, app: &App) -> Option<Millis> {
        self.work.notify_one();
        if !app.reconciler.is_whole() {
            return None;
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).up_to(app.clock.now())
    }

    /// Whether the copy of the bindings has every event that was published before this call. Waits
    /// shortly for events that are being applied; but after a call that waited in vain, the next
    /// one does not wait.
    pub(crate) async fn is_complete(&self, app: &App) -> bool {
        match app.memory.see_within(QUERY_LIMIT).await {
            Some(seen) => self.has(app, seen).await,
            None => false,
        }
    }

    /// Whether the copy of the bindings has every event that the feed had read when it reached the
    /// point `seen`. Queries the consumer's state several times if needed.
    pub(super) async fn has(&self, app: &App, seen: CatchUp) -> bool {
        let queries = if self.is_behind.load(Ordering::Relaxed) { 1 } else { QUERIES };
        for n in 0..queries {
            if n > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            if !self.query_consumer(app, seen).await {
                break;
            }
            if self.up_to(app) >= Some(seen.up_to) {
                self.is_behind.store(false, Ordering::Relaxed);
                return true;
            }
        }
        self.is_behind.store(true, Ordering::Relaxed);
        false
    }

    /// Queries the state of timetrack's consumer of EVENTS, and updates the known moment from it.
    /// Returns whether the query succeeded.
    async fn query_consumer(&self, app: &App, seen: CatchUp) -> bool {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let durable = Service::Timetrack.name();
        let jetstream = &app.bus.jetstream;
        let asked = jetstream.get_consumer_from_stream::<pull::Config, _, _>(durable, stream::EVENTS);
        let consumer = match timeout(QUERY_LIMIT, asked).await {
            Ok(Ok(consumer)) => consumer,
            Ok(Err(error)) => {
                tracing::warn!(%error, "it is not known up to when the copy of the bindings is complete");
                return false;
            }
            Err(_) => return false,
        };
        let info = consumer.cached_info();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(ConsumerReport {
            number,
            seen: seen.number,
            asked_at: seen.up_to,
            changed_at: seen.place,
            pending: info.num_pending,
            in_hand: info.num_ack_pending,
            delivered: info.delivered.stream_sequence,
            applied: info.ack_floor.stream_sequence,
        });
        true
    }
}
