use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::consumer;
use bson::doc;
use contracts::{Caller, Code, Failure, Page, Reconciled, Request, stream};
use futures::future::BoxFuture;
use mongodb::Collection;
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::Instant};
use uuid::Uuid;

use crate::{
    Bus, Database, Deps, Error, Shape, Shutdown, config,
    endpoints::ChainLine,
    metrics::{By, Counter, Gauge},
    new_id,
};

/// How often it is looked whether events were missed.
const LOOK: Duration = Duration::from_secs(5);
/// How long a comparison waits for events that are on their way.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two looks whether they have come.
const PAUSE: Duration = Duration::from_millis(50);
/// How often a page is asked for again that could not be given for now.
const TRIES: u32 = 5;

/// What a comparison of one copy found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// How many entries were compared.
    pub compared: u64,
    /// How many were not as they should be.
    pub found: u64,
    /// How many of these were put right.
    pub repaired: u64,
}

/// Up to which place in EVENTS a service is known to have seen everything.
#[derive(Debug, Serialize, Deserialize)]
struct Floor {
    #[serde(rename = "_id")]
    stream: String,
    place: i64,
}

/// Has a service compare its copies: on a schedule, when asked, and when it has missed events.
///
/// Several replicas may do so at once: what they put right they write as events are applied, so
/// that nothing older takes the place of something newer.
#[derive(Clone)]
pub struct Reconciler(Arc<Inner>);

struct Inner {
    bus: Bus,
    floors: Collection<Floor>,
    settings: config::Reconcile,
    turn: Mutex<()>,
    has_missed: AtomicBool,
    found: By<Counter>,
    repaired: By<Counter>,
    rounds: By<Counter>,
    gaps: Counter,
    missed: Gauge,
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reconciler")
    }
}

/// What the server says of the stream and of our consumer.
struct Look {
    first: u64,
    last: u64,
    acknowledged: u64,
    is_idle: bool,
}

impl Reconciler {
    /// The collection that it needs.
    pub fn shape() -> Shape {
        ("floors", Vec::new())
    }

    /// One that has not begun. From now on missed events count against readiness.
    pub fn new(deps: &Deps, db: &Database) -> Self {
        let metrics = deps.bus.metrics();
        let [found, repaired, rounds] = [(); 3].map(|()| By::<Counter>::default());
        metrics.register("t3_reconcile_found", "Entries of copies that were not as they should be", found.clone());
        metrics.register("t3_reconcile_repaired", "Those that were put right", repaired.clone());
        metrics.register("t3_reconcile_rounds", "Comparisons of all copies, by how they ended", rounds.clone());
        let inner = Inner {
            bus: deps.bus.clone(),
            floors: db.collection("floors"),
            settings: deps.reconcile,
            turn: Mutex::default(),
            has_missed: AtomicBool::new(false),
            found,
            repaired,
            rounds,
            gaps: metrics.counter("t3_events_gaps", "How often EVENTS had forgotten what was not seen here"),
            missed: metrics.gauge("t3_events_missed", "Whether events were missed and are not made up for yet"),
        };
        let reconciler = Self(Arc::new(inner));
        let asked = reconciler.clone();
        deps.health.needs("missed events", move || !asked.0.has_missed.load(Ordering::Relaxed));
        reconciler
    }

    /// How long a difference must last before it is one.
    pub fn settle(&self) -> Duration {
        Duration::from_secs(self.0.settings.reconcile_settle)
    }

    /// Counts and tells what a comparison of this copy has found.
    pub fn tell(&self, copy: &'static str, tally: Tally) {
        let label = [("copy", copy)];
        self.0.found.get_or_create(&label).inc_by(tally.found);
        self.0.repaired.get_or_create(&label).inc_by(tally.repaired);
        if tally.found > 0 {
            let Tally { compared, found, repaired } = tally;
            tracing::error!(copy, compared, found, repaired, "a copy was not as it should be");
        }
    }

    /// Waits until everything is applied that is in the stream now: what differs then, and did
    /// before, is not on its way.
    ///
    /// # Errors
    /// 503 where that takes too long: then nothing can be said.
    pub async fn until_applied(&self) -> Result<(), Error> {
        let place = self.look().await?.last;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let look = self.look().await?;
            if look.is_idle || look.acknowledged >= place {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let detail = "Events wait to be applied, so copies cannot be compared. Try again later.";
                return Err(Failure::new(Code::Unavailable, detail).into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs one comparison of all copies: one at a time in this process.
    ///
    /// # Errors
    /// Those of the comparison.
    pub async fn run(
        &self,
        round: impl Future<Output = Result<Vec<(&'static str, Tally)>, Error>>,
    ) -> Result<Reconciled, Error> {
        let _turn = self.0.turn.lock().await;
        let compared = round.await;
        let ended = if compared.is_ok() { "done" } else { "failed" };
        self.0.rounds.get_or_create(&[("outcome", ended)]).inc();
        let mut all = Reconciled::default();
        for (copy, tally) in compared? {
            self.tell(copy, tally);
            all.compared += tally.compared;
            all.found += tally.found;
            all.repaired += tally.repaired;
        }
        tracing::info!(compared = all.compared, found = all.found, repaired = all.repaired, "copies compared");
        Ok(all)
    }

    /// Compares on schedule, and whenever events were missed, until shutdown.
    pub fn keep(
        &self,
        shutdown: &Shutdown,
        round: impl Fn() -> BoxFuture<'static, Result<Vec<(&'static str, Tally)>, Error>> + Send + Sync + 'static,
    ) {
        let (this, stop) = (self.clone(), shutdown.clone());
        shutdown.spawn(async move {
            let mut due = this.next();
            while !stop.is_stopping() {
                let work = async {
                    if let Err(error) = this.make_up(&round).await {
                        tracing::warn!(error = %anyhow::Error::from(error).chain_line(), "it is not known whether events were missed, or they cannot be made up for yet");
                    }
                    if due.is_some_and(|due| Instant::now() >= due) {
                        if let Err(error) = this.run(round()).await {
                            tracing::warn!(error = %anyhow::Error::from(error).chain_line(), "copies are not compared");
                        }
                        return this.next();
                    }
                    due
                };
                tokio::select! {
                    next = pin!(work) => due = next,
                    () = stop.stopping() => return,
                }
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = stop.stopping() => return,
                }
            }
        });
    }

    /// When the next comparison is due: replicas and services each at another moment.
    fn next(&self) -> Option<Instant> {
        let every = self.0.settings.reconcile_every;
        let jitter = 0.9 + 0.2 * (new_id::<Uuid>().as_u128() % 1_000) as f64 / 1_000.0;
        (every > 0).then(|| Instant::now() + Duration::from_secs(every).mul_f64(jitter))
    }

    /// Notices whether EVENTS has forgotten what we have not seen, and then takes everything from
    /// those who know.
    ///
    /// The consumer does not tell: the server moves its floor past what is gone. So we keep our own.
    async fn make_up(
        &self,
        round: &(impl Fn() -> BoxFuture<'static, Result<Vec<(&'static str, Tally)>, Error>> + Send + Sync),
    ) -> Result<(), Error> {
        // The end of the stream before the look at the consumer, its beginning after that.
        let before = self.look().await?;
        let look = self.look().await?;
        let known = self.0.floors.find_one(doc! { "_id": stream::EVENTS }).await?;
        let floor = known.as_ref().map_or(0, |known| known.place.unsigned_abs());
        let (first, last) = (look.first, look.last);
        if first <= floor + 1 && last >= floor {
            self.0.has_missed.store(false, Ordering::Relaxed);
            self.0.missed.set(0);
            let seen = if look.is_idle { before.last } else { 0 };
            return self.reached(floor, look.acknowledged.max(seen)).await;
        }
        if !self.0.has_missed.swap(true, Ordering::Relaxed) {
            self.0.gaps.inc();
            self.0.missed.set(1);
            tracing::error!(
                seen = floor,
                first,
                last,
                "EVENTS has forgotten what was not seen here; it is taken from those who know"
            );
        }
        self.run(round()).await?;
        self.0.floors.delete_one(doc! { "_id": stream::EVENTS, "place": floor as i64 }).await?;
        self.reached(0, first.saturating_sub(1)).await?;
        self.0.has_missed.store(false, Ordering::Relaxed);
        self.0.missed.set(0);
        tracing::warn!(first, "what EVENTS had forgotten is made up for");
        Ok(())
    }

    /// Keeps the floor; never a lower one.
    async fn reached(&self, known: u64, place: u64) -> Result<(), Error> {
        if place > known {
            let higher = doc! { "$max": { "place": place as i64 } };
            self.0.floors.update_one(doc! { "_id": stream::EVENTS }, higher).upsert(true).await?;
        }
        Ok(())
    }

    /// Looks at the consumer, then at the stream.
    async fn look(&self) -> Result<Look, Error> {
        let jetstream = &self.0.bus.jetstream;
        let events = jetstream.get_stream_no_info(stream::EVENTS).await.map_err(nats)?;
        let consumer: consumer::Info = events.consumer_info(self.0.bus.service().name()).await.map_err(nats)?;
        let info = jetstream.get_stream(stream::EVENTS).await.map_err(nats)?;
        let state = &info.cached_info().state;
        Ok(Look {
            first: state.first_sequence,
            last: state.last_sequence,
            acknowledged: consumer.ack_floor.stream_sequence,
            is_idle: consumer.num_pending == 0 && consumer.num_ack_pending == 0,
        })
    }
}

fn nats(error: impl Into<async_nats::Error>) -> Error {
    Error::Nats(error.into())
}

/// Asks for a page, again where it cannot be given for now.
///
/// # Errors
/// What the last answer says.
pub async fn ask_page<R, T, C>(bus: &Bus, request: &R) -> Result<Page<T, C>, Failure>
where
    R: Request<Reply = Page<T, C>>,
{
    let mut pause = Duration::from_millis(200);
    for _ in 1..TRIES {
        match bus.ask(Caller::Service, request).await {
            Err(failure) if failure.code.is_passing() => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    bus.ask(Caller::Service, request).await
}
