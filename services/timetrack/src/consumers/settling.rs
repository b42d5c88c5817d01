//! How this process and the others hear what is settled.
//!
//! Whoever settles time writes that down, tells of it, and waits until every process that records windows
//! has heard it and has nothing in hand that it began before. From then on nothing is recorded in that
//! time. Recording costs no write for it: a batch looks at what its process has heard, as of a moment
//! after the batch was here.
//!
//! A process says every second that it lives, and one that has been silent for [`LEASE`] is waited for no
//! longer. So a process that stood still must not believe what it knew before: what it began too long
//! ago it judges anew, also after it has written.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{consumer::pull, stream::LastRawMessageErrorKind};
use contracts::{Code, Event, EventId, Failure, Millis, Service, SettlementChanged, stream};
use kit::{Error, Shutdown, Together};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use crate::{App, Step, store::LEASE};

/// How often a process says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// For how long what a batch has looked at may be believed, and a word of ours holds: well below the
/// lease.
const FRESH: Duration = Duration::from_millis(LEASE as u64 / 2);
/// How long somebody waits until all have heard: until a dead one is known as such, and a little more.
const ALL_HEARD: Duration = Duration::from_millis(LEASE as u64 + 3_000);
/// How long somebody waits until an event is on the stream.
const TOLD: Duration = Duration::from_secs(5);
/// How long somebody waits until the queue has passed a place.
const QUEUE: Duration = Duration::from_secs(3);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// What this process has heard, and what it has in hand.
#[derive(Debug)]
pub(crate) struct Settling {
    id: EventId,
    state: Mutex<State>,
    /// There is something to say.
    news: Notify,
    /// That the queue was worked off up to where it stood.
    queue: Together<Result<(), Failure>>,
}

#[derive(Debug, Default)]
struct State {
    /// One more with everything that was heard.
    generation: u64,
    /// How many batches are in hand that began in each.
    in_hand: BTreeMap<u64, usize>,
    /// Places that were heard, each with the generation that ended then.
    heard: Vec<(u64, u64)>,
    /// Up to this place all was heard, and nothing is in hand that began before.
    passed: u64,
    /// When the last word was begun that the database has taken.
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

/// A batch in hand.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    settling: &'a Settling,
    generation: u64,
    began: Instant,
    /// By the wall clock: the other one may stand still with the machine.
    began_at: Millis,
}

impl Batch<'_> {
    /// Whether what the batch has looked at may be believed, and the others still wait for us.
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
        Self { id: kit::new_id(), state: Mutex::default(), news: Notify::new(), queue: Together::default() }
    }
}

impl Settling {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that this process lives, from before it records anything until shutdown.
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
            // What is in hand is finished first; a word that is lost costs the others some seconds.
            while !app.settling.state().in_hand.is_empty() {
                sleep(PAUSE).await;
            }
            // What comes after all the same has to say anew that it is there.
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

    /// Says that this process lives, and how far it has heard.
    pub(super) async fn say(&self, app: &App) -> Result<(), Error> {
        app.faults.at(Step::Living).await;
        let (began, passed) = (Instant::now(), self.state().passed);
        app.store.workers.beat(self.id, passed).await?;
        self.state().said_at = Some(began);
        Ok(())
    }

    /// A batch is taken in hand. It looks at what is settled after that.
    pub(super) fn take_in_hand(&self, now: Millis) -> Batch<'_> {
        let mut state = self.state();
        let generation = state.generation;
        *state.in_hand.entry(generation).or_default() += 1;
        Batch { settling: self, generation, began: Instant::now(), began_at: now }
    }

    /// All is heard up to a place in the stream of events.
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

/// Waits until all that record windows have heard of a settlement, and have nothing in hand that they
/// began before.
///
/// # Errors
/// 503 where they have not in time.
pub(crate) async fn until_all_have_heard(app: &App, settlement: &SettlementChanged) -> Result<(), Error> {
    let place = timeout(TOLD, place_of(app, settlement)).await.map_err(|_| not_heard())??;
    let heard = async {
        loop {
            // This process looks at once; the others within a second.
            app.memory.complete().await;
            if !app.store.workers.any_behind(place).await? {
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

/// The place at which a settlement, or a later version of it, is on the stream of events.
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

/// Waits until everything is recorded, or held with its reason, that was on the queue when this was asked.
///
/// # Errors
/// 409 where it takes too long.
pub(crate) async fn until_queue_is_done(app: &App) -> Result<(), Error> {
    // Whoever approves many periods at once asks this as often.
    let look = async { wait_for_queue(app).await.map_err(|error| error.to_failure()) };
    Ok(app.settling.queue.look(look).await?)
}

async fn wait_for_queue(app: &App) -> Result<(), Error> {
    let queue = app.bus.jetstream.get_stream(stream::INGEST).await.map_err(|e| Error::Nats(e.into()))?;
    let place = queue.cached_info().state.last_sequence;
    let done = async {
        loop {
            let durable = Service::Timetrack.name();
            let asked = app.bus.jetstream.get_consumer_from_stream::<pull::Config, _, _>(durable, stream::INGEST);
            let consumer = asked.await.map_err(|e| Error::Nats(e.into()))?;
            let info = consumer.cached_info();
            let is_empty = info.num_pending == 0 && info.num_ack_pending == 0;
            if is_empty || info.ack_floor.stream_sequence >= place {
                return Ok::<(), Error>(());
            }
            sleep(PAUSE).await;
        }
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
