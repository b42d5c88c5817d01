//! Up to when this replica's copy of the bindings knows everything, whoever applies the events.

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

use super::memory::Seen;
use crate::{
    App,
    domain::{Known, Look},
};

/// How often the moment is moved on while there is work.
const REFRESH: Duration = Duration::from_millis(200);
/// How long a look may take.
const LOOK: Duration = Duration::from_millis(500);
/// How often a batch looks again before it does without, and the pause between.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// What this replica knows of the copy, as far as it has looked.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    known: Mutex<Known>,
    /// How many looks have begun.
    begun: AtomicU64,
    /// Whether the last question was in vain: then the next one does not wait.
    is_behind: AtomicBool,
    work: Notify,
}

impl Knowledge {
    /// Moves the moment on while there is work, until shutdown.
    pub(crate) fn keep(app: Arc<App>, shutdown: &Shutdown) {
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                tokio::select! {
                    () = app.knowledge.work.notified() => {}
                    () = stop.stopping() => return,
                }
                if let Some(seen) = app.memory.seen() {
                    app.knowledge.look(&app, seen).await;
                }
                tokio::select! {
                    () = tokio::time::sleep(REFRESH) => {}
                    () = stop.stopping() => return,
                }
            }
        });
    }

    /// The moment, without asking: everything that was published before it is in the copy. Nothing where events were
    /// missed, until the copy is compared with its owners: the consumer cannot tell.
    pub(crate) fn up_to(&self, app: &App) -> Option<Millis> {
        self.work.notify_one();
        if !app.reconciler.is_whole() {
            return None;
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).up_to(app.clock.now())
    }

    /// Whether the copy holds everything that was published by now. Waits a little for events that
    /// are on their way, but not again and again where one is stuck.
    pub(crate) async fn is_complete(&self, app: &App) -> bool {
        match app.memory.see_within(LOOK).await {
            Some(seen) => self.has(app, seen).await,
            None => false,
        }
    }

    /// Whether the copy holds everything that was seen.
    pub(super) async fn has(&self, app: &App, seen: Seen) -> bool {
        let looks = if self.is_behind.load(Ordering::Relaxed) { 1 } else { LOOKS };
        for n in 0..looks {
            if n > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            if !self.look(app, seen).await {
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

    /// Looks at the consumer of events, and says whether it could. Which events there are, it is not asked: its
    /// leader may be another server than the stream's, and behind it.
    async fn look(&self, app: &App, seen: Seen) -> bool {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let durable = Service::Timetrack.name();
        let jetstream = &app.bus.jetstream;
        let asked = jetstream.get_consumer_from_stream::<pull::Config, _, _>(durable, stream::EVENTS);
        let consumer = match timeout(LOOK, asked).await {
            Ok(Ok(consumer)) => consumer,
            Ok(Err(error)) => {
                tracing::warn!(%error, "it is not known up to when the copy of the bindings is complete");
                return false;
            }
            Err(_) => return false,
        };
        let info = consumer.cached_info();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).learn(Look {
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
