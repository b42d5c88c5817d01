//! Makes sure that all workers know of settled time.
//!
//! A handler that settles time stores the settlement, publishes it, and waits until every worker
//! has read it and has no batch from before in progress. From then on no worker records anything in
//! that time. Recording needs no write for this: a batch checks the settlements that its process
//! has read up to a moment after the batch arrived.
//!
//! A worker sends a heartbeat every second. A handler stops waiting for a worker that has sent no
//! heartbeat for [`LEASE`]. So a worker that was suspended must not trust what it had read before:
//! a batch that began too long ago is checked again, before it is written and after it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use contracts::{Code, Event, EventId, Failure, Millis, SettlementChanged, stream};
use kit::{Error, SharedRead, Shutdown};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use crate::{App, Step, store::LEASE};

/// The interval between two heartbeats.
const BEAT: Duration = Duration::from_secs(1);
/// How long a batch may trust what its process has read, and how long a heartbeat is valid for this
/// process itself: half of the lease.
const FRESH: Duration = Duration::from_millis(LEASE as u64 / 2);
/// How long a handler waits for all workers: until a dead one is recognised by its lease, and three
/// seconds more.
const ALL_HEARD: Duration = Duration::from_millis(LEASE as u64 + 3_000);
/// How long a handler waits until its event is in the stream.
const TOLD: Duration = Duration::from_secs(5);
/// How long a handler waits until the queue is done up to a sequence number.
const QUEUE: Duration = Duration::from_secs(3);
/// The pause between two reads of the state that a handler waits for.
const PAUSE: Duration = Duration::from_millis(5);

/// What this worker has read of the settlements, and its batches in progress.
#[derive(Debug)]
pub(crate) struct Settling {
    id: EventId,
    state: Mutex<State>,
    /// Wakes the task that sends heartbeats.
    news: Notify,
    /// Lets concurrent handlers share one wait for the queue.
    queue: SharedRead<Result<(), Failure>>,
    /// Shares the reads of how far all workers have read. Without it, each of many concurrent
    /// approvals would query MongoDB every few milliseconds.
    heard_by_all: SharedRead<Result<Option<u64>, Failure>>,
}

#[derive(Debug, Default)]
struct State {
    /// A counter that increases with every settlement that is read.
    generation: u64,
    /// The number of batches in progress, by the generation in which they began.
    in_hand: BTreeMap<u64, usize>,
    /// The sequence numbers that were read and that `passed` does not include yet, each with the
    /// generation that ended when it was read.
    heard: Vec<(u64, u64)>,
    /// A sequence number of EVENTS. Every settlement up to it is read, and no batch that began
    /// before that is in progress.
    passed: u64,
    /// When the last successful heartbeat was begun; none before the first one.
    said_at: Option<Instant>,
}

impl State {
    fn pass(&mut self) -> bool {
        let oldest = self.in_hand.keys().next().copied().unwrap_or(u64::MAX);
        let was = self.passed;
        let passed = self.heard.iter().take_while(|(generation, _)| *generation < oldest).count();
        for (_, place) in self.heard.drain(..passed) {
            self.passed = self.passed.max(place);
        }
        self.passed > was
    }
}

/// A batch in progress. It ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    settling: &'a Settling,
    generation: u64,
    began: Instant,
    /// The beginning by the wall clock, because the monotonic clock may stop while the machine
    /// sleeps.
    began_at: Millis,
}

impl Batch<'_> {
    /// Whether the batch may trust what its process has read: it began recently, and the last
    /// heartbeat is recent, so no handler takes this worker for dead.
    pub(super) fn is_fresh(&self, now: Millis) -> bool {
        let said_at = self.settling.state().said_at;
        let word_holds = said_at.is_some_and(|said_at| said_at.elapsed() < FRESH);
        let passed = (now - self.began_at).unsigned_abs();
        word_holds && self.began.elapsed() < FRESH && u128::from(passed) < FRESH.as_millis()
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut state = self.settling.state();
        if let Some(count) = state.in_hand.get_mut(&self.generation) {
            *count -= 1;
            if *count == 0 {
                state.in_hand.remove(&self.generation);
            }
        }
        if state.pass() {
            self.settling.news.notify_one();
        }
    }
}

impl Default for Settling {
    fn default() -> Self {
        Self {
            id: kit::new_id(),
            state: Mutex::default(),
            news: Notify::new(),
            queue: SharedRead::default(),
            heard_by_all: SharedRead::default(),
        }
    }
}

impl Settling {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the first heartbeat, and returns. A background task then sends heartbeats until
    /// shutdown.
    pub(crate) async fn keep(app: Arc<App>, shutdown: &Shutdown) {
        while let Err(error) = app.settling.begin(&app).await {
            tracing::warn!(%error, "no windows are recorded yet");
            if shutdown.is_stopping() {
                return;
            }
            sleep(BEAT).await;
        }
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                tokio::select! {
                    () = app.settling.news.notified() => {}
                    () = sleep(BEAT) => {}
                    () = stop.stopping() => break,
                }
                if let Err(error) = app.settling.say(&app).await {
                    tracing::warn!(%error, "others may take this process for dead");
                }
            }
            // The batches in progress must end before the worker is removed, because handlers wait
            // only for workers that are in the collection.
            while !app.settling.state().in_hand.is_empty() {
                sleep(PAUSE).await;
            }
            // A batch that begins later must send a new heartbeat first.
            app.settling.state().said_at = None;
            if let Err(error) = app.store.workers.leave(app.settling.id).await {
                tracing::info!(%error, "others wait until they take this process for dead");
            }
        });
    }

    async fn begin(&self, app: &App) -> Result<(), Error> {
        app.store.settlements.prepare().await?;
        self.say(app).await
    }

    /// Sends a heartbeat with the sequence number up to which this worker has read settlements.
    pub(super) async fn say(&self, app: &App) -> Result<(), Error> {
        app.faults.at(Step::Living).await;
        let (began, passed) = (Instant::now(), self.state().passed);
        app.store.workers.beat(self.id, passed).await?;
        self.state().said_at = Some(began);
        Ok(())
    }

    /// Registers a batch. The batch must check settlements only after this call.
    pub(super) fn take_in_hand(&self, now: Millis) -> Batch<'_> {
        let mut state = self.state();
        let generation = state.generation;
        *state.in_hand.entry(generation).or_default() += 1;
        Batch { settling: self, generation, began: Instant::now(), began_at: now }
    }

    /// Restarts with everything read up to this sequence number. Earlier numbers may come from a
    /// stream that was replaced, so they are discarded.
    pub(super) fn begin_hearing(&self, place: u64) {
        let mut state = self.state();
        state.heard.clear();
        state.passed = 0;
        drop(state);
        self.hear(place);
    }

    /// Stores that every settlement up to a sequence number is read.
    pub(super) fn hear(&self, place: u64) {
        let mut state = self.state();
        let generation = state.generation;
        state.generation += 1;
        state.heard.push((generation, place));
        if state.pass() {
            self.news.notify_one();
        }
    }
}

/// Waits until all workers have read a settlement and have no batch from before in progress.
///
/// # Errors
/// 503 if that takes too long.
pub(crate) async fn until_all_have_heard(app: &App, settlement: &SettlementChanged) -> Result<(), Error> {
    let place = timeout(TOLD, place_of(app, settlement)).await.map_err(|_| not_heard())??;
    let heard = async {
        loop {
            // This call makes this process read the settlement at once. The settlement itself wakes
            // the other processes.
            app.memory.complete().await;
            let read = async { app.store.workers.heard_by_all().await.map_err(|error| error.to_failure()) };
            if app.settling.heard_by_all.read(read).await?.is_none_or(|heard| heard >= place) {
                return Ok::<(), Error>(());
            }
            sleep(PAUSE).await;
        }
    };
    timeout(ALL_HEARD, heard).await.map_err(|_| not_heard())?
}

fn not_heard() -> Failure {
    Failure::new(Code::Unavailable, "Not everybody who records windows has heard of it yet. Ask again in a moment.")
}

/// Waits until a settlement, or a later version of it, is in EVENTS. Returns its sequence number.
async fn place_of(app: &App, settlement: &SettlementChanged) -> Result<u64, Error> {
    let events = app.bus.jetstream.get_stream_no_info(stream::EVENTS).await.map_err(|e| Error::Nats(e.into()))?;
    loop {
        match events.get_last_raw_message_by_subject(&settlement.subject()).await {
            Ok(message) => {
                let told: SettlementChanged = serde_json::from_slice(&message.payload)?;
                if told.version >= settlement.version {
                    return Ok(message.sequence);
                }
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {}
            Err(error) => return Err(Error::Nats(error.into())),
        }
        sleep(PAUSE).await;
    }
}

/// Waits until every window that is in the queue now is recorded or quarantined.
///
/// # Errors
/// 409 if that takes longer than three seconds.
pub(crate) async fn until_queue_is_done(app: &App) -> Result<(), Error> {
    // Concurrent calls share one wait, because many periods may be approved at the same time.
    let read = async { wait_for_queue(app).await.map_err(|error| error.to_failure()) };
    Ok(app.settling.queue.read(read).await?)
}

async fn wait_for_queue(app: &App) -> Result<(), Error> {
    let queue = app.bus.jetstream.get_stream(stream::INGEST).await.map_err(|e| Error::Nats(e.into()))?;
    let place = queue.cached_info().state.last_sequence;
    let mut state = queue.cached_info().state.clone();
    let done = async {
        // An acknowledged message leaves the queue. So every message before the first one of the
        // queue is acknowledged.
        while state.messages > 0 && state.first_sequence <= place {
            sleep(PAUSE).await;
            state = queue.get_info().await.map_err(|e| Error::Nats(e.into()))?.state;
        }
        Ok::<(), Error>(())
    };
    let waiting = "Windows are still waiting to be recorded, which may belong to it. Try again in a moment.";
    timeout(QUEUE, done).await.map_err(|_| Failure::new(Code::WindowsWaiting, waiting))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(settling: &Settling) -> u64 {
        settling.state().passed
    }

    #[test]
    fn a_place_is_passed_once_nothing_is_in_hand_that_began_before_it_was_heard() {
        let settling = Settling::default();
        settling.hear(3);
        assert_eq!(passed(&settling), 3, "nothing was in hand");
        let (first, second) = (settling.take_in_hand(Millis(0)), settling.take_in_hand(Millis(0)));
        settling.hear(5);
        let third = settling.take_in_hand(Millis(0));
        settling.hear(8);
        drop(second);
        assert_eq!(passed(&settling), 3);
        drop(first);
        assert_eq!(passed(&settling), 5, "the third one began after that");
        drop(third);
        assert_eq!(passed(&settling), 8);
    }

    #[test]
    fn what_is_heard_again_from_an_earlier_place_takes_nothing_back() {
        let settling = Settling::default();
        settling.hear(8);
        settling.hear(5);
        assert_eq!(passed(&settling), 8);
    }

    #[test]
    fn the_places_of_a_stream_that_was_made_anew_count_from_the_beginning() {
        let settling = Settling::default();
        settling.hear(900);
        let batch = settling.take_in_hand(Millis(0));
        settling.hear(1_000);
        settling.begin_hearing(5);
        assert_eq!(passed(&settling), 0, "it began before");
        drop(batch);
        assert_eq!(passed(&settling), 5);
    }

    #[test]
    fn nothing_is_believed_before_the_database_has_our_word() {
        let settling = Settling::default();
        let batch = settling.take_in_hand(Millis(1_000_000));
        assert!(!batch.is_fresh(Millis(1_000_000)));
        settling.state().said_at = Some(Instant::now());
        assert!(batch.is_fresh(Millis(1_000_000)));
        assert!(!batch.is_fresh(Millis(1_000_000 + LEASE)), "the machine stood still");
        assert!(!batch.is_fresh(Millis(1_000_000 - LEASE)));
    }
}
