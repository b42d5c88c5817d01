use std::{fmt, sync::Arc, time::Duration};

use contracts::{Caller, Code, Failure, Reconciled, Request};
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    Bus, Database, Deps, Error, Mirror, Shape, Shutdown, Tally, config,
    endpoints::ChainLine,
    gaps::{self, Gap, Gaps, LOOK},
    metrics::{By, Counter, Gauge},
    random_bytes,
};

/// How long a comparison waits for events that are on their way.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two looks whether they have come.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a page is asked for that could not be given, and the pause before it is asked for again.
const TRIES: (u32, Duration) = (5, Duration::from_millis(200));
/// How long the last look may take, when it is time to stop.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// A service that keeps copies of what others own.
pub trait Copies: Send + Sync + 'static {
    /// What compares them.
    fn reconciler(&self) -> &Reconciler;

    /// Compares all of them once and puts right what differs; each with its name.
    fn compare_all(&self) -> impl Future<Output = Result<Vec<(&'static str, Tally)>, Error>> + Send;
}

/// Compares the copies of a service with their owners: on a schedule, when asked, and when EVENTS has
/// forgotten what the service has not seen.
///
/// Replicas may do so at the same time: what they write never takes the place of anything newer.
#[derive(Clone)]
pub struct Reconciler(Arc<Inner>);

struct Inner {
    bus: Bus,
    gaps: Gaps,
    settings: config::Reconcile,
    /// One comparison at a time in this process.
    turn: Mutex<()>,
    /// Whether nothing was missed that is not made up for; nothing where that is not known yet.
    is_whole: watch::Sender<Option<bool>>,
    found: By<Counter>,
    repaired: By<Counter>,
    rounds: By<Counter>,
    missed: Gauge,
    gaps_found: Counter,
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reconciler")
    }
}

impl Reconciler {
    /// The collection that it needs.
    pub fn shape() -> Shape {
        gaps::gaps_shape()
    }

    /// One for the copies of these names. From now on missed events count against readiness.
    pub fn new(deps: &Deps, db: &Database, copies: &[&'static str]) -> Self {
        let metrics = deps.bus.metrics();
        let [found, repaired, rounds] = [(); 3].map(|()| By::<Counter>::default());
        // None so far, which is to be seen too.
        for copy in copies {
            drop(found.get_or_create(&[("copy", copy)]));
            drop(repaired.get_or_create(&[("copy", copy)]));
        }
        for outcome in ["done", "failed"] {
            drop(rounds.get_or_create(&[("outcome", outcome)]));
        }
        metrics.register(
            "t3_reconcile_found",
            "Entries of copies that were not as their owner knows them",
            found.clone(),
        );
        metrics.register("t3_reconcile_repaired", "Those that were put right", repaired.clone());
        metrics.register("t3_reconcile_rounds", "Comparisons of all copies, by how they ended", rounds.clone());
        let inner = Arc::new(Inner {
            bus: deps.bus.clone(),
            gaps: Gaps::new(deps, db),
            settings: deps.reconcile,
            turn: Mutex::default(),
            is_whole: watch::Sender::new(None),
            found,
            repaired,
            rounds,
            missed: metrics.gauge("t3_events_missed", "Whether events were missed and are not made up for yet"),
            gaps_found: gaps::counter(deps),
        });
        let asked = inner.clone();
        deps.health.waits_until("made up for missed events", move || *asked.is_whole.borrow() != Some(false));
        Self(inner)
    }

    /// How long a difference must last that no event accounts for.
    pub fn settle(&self) -> Duration {
        Duration::from_secs(self.0.settings.reconcile_settle)
    }

    /// Compares on schedule, and whenever events were missed, until shutdown. Returns after the first
    /// look: before anything is consumed or answered.
    pub async fn keep<C: Copies>(copies: Arc<C>, shutdown: &Shutdown) {
        let this = copies.reconciler().clone();
        if let Err(error) = this.look().await {
            gaps::unknown(error);
        }
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            let mut due = this.next();
            while !stop.is_stopping() {
                let work = async {
                    this.make_up(&*copies).await;
                    if due.is_some_and(|due| Instant::now() >= due) {
                        this.log(this.run(&*copies).await);
                        due = this.next();
                    }
                    sleep(LOOK).await;
                };
                tokio::select! {
                    () = work => {}
                    () = stop.stopping() => {}
                }
            }
            // What was applied until now is seen, whatever is purged while nobody runs.
            let _ = timeout(LAST_LOOK, this.look()).await;
        });
    }

    /// Waits until it is known that nothing was missed, or until shutdown.
    pub async fn until_whole(&self, shutdown: &Shutdown) {
        let mut is_whole = self.0.is_whole.subscribe();
        tokio::select! {
            _ = is_whole.wait_for(|is_whole| *is_whole == Some(true)) => {}
            () = shutdown.stopping() => {}
        }
    }

    /// Compares all copies now, to the end, also where the asker does not wait for it.
    ///
    /// # Errors
    /// Those of the comparison.
    pub async fn now<C: Copies>(copies: Arc<C>) -> Result<Reconciled, Error> {
        let round = tokio::spawn(async move { copies.reconciler().run(&*copies).await });
        round.await.map_err(anyhow::Error::from)?
    }

    /// Compares a copy with its owner, page by page, and puts right what differs.
    ///
    /// Whatever differs is looked at again: with a new page, after everything is applied that was in
    /// EVENTS then. What differs still is not on its way.
    ///
    /// # Errors
    /// When the owner, NATS or MongoDB is away.
    pub async fn compare<M: Mirror>(&self, mirror: &M) -> Result<Tally, Error> {
        let (mut tally, mut after) = (Tally::default(), None);
        loop {
            let mut page = self.ask(&mirror.ask(after)).await?;
            let before = mirror.differences(after, &page).await?;
            if !before.told.is_empty() || !before.extra.is_empty() {
                page = self.ask(&mirror.ask(after)).await?;
                self.until_applied().await?;
                let still = mirror.differences(after, &page).await?;
                for told in still.told {
                    tally.found(mirror.heal(told).await?);
                }
                // What is new since the page is no extra.
                for key in still.extra.into_iter().filter(|key| before.extra.contains(key)) {
                    tally.found(mirror.end(key).await?);
                }
            }
            tally.compared += page.items.len() as u64;
            after = page.next;
            if after.is_none() {
                return Ok(tally);
            }
        }
    }

    /// Asks an owner, again where it cannot answer for now.
    ///
    /// # Errors
    /// What the last answer says.
    pub async fn ask<R: Request>(&self, request: &R) -> Result<R::Reply, Failure> {
        let (tries, mut pause) = TRIES;
        for _ in 1..tries {
            match self.0.bus.ask(Caller::Service, request).await {
                Err(failure) if failure.code.is_passing() => sleep(pause).await,
                answer => return answer,
            }
            pause *= 2;
        }
        self.0.bus.ask(Caller::Service, request).await
    }

    /// Waits until everything of ours is applied that is in EVENTS now.
    ///
    /// # Errors
    /// 503 where that takes too long: then nothing can be said.
    pub async fn until_applied(&self) -> Result<(), Error> {
        let place = self.0.gaps.last().await?;
        let deadline = Instant::now() + PATIENCE;
        while !self.0.gaps.is_applied(place).await? {
            if Instant::now() >= deadline {
                let detail = "Events wait to be applied, so copies cannot be compared. Try again later.";
                return Err(Failure::new(Code::Unavailable, detail).into());
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn run(&self, copies: &impl Copies) -> Result<Reconciled, Error> {
        let _turn = self.0.turn.lock().await;
        let compared = copies.compare_all().await;
        let ended = if compared.is_ok() { "done" } else { "failed" };
        self.0.rounds.get_or_create(&[("outcome", ended)]).inc();
        let mut all = Reconciled::default();
        for (copy, Tally { compared, found, repaired }) in compared? {
            self.0.found.get_or_create(&[("copy", copy)]).inc_by(found);
            self.0.repaired.get_or_create(&[("copy", copy)]).inc_by(repaired);
            if found > 0 {
                tracing::error!(copy, compared, found, repaired, "a copy was not as its owner knows it");
            }
            all.compared += compared;
            all.found += found;
            all.repaired += repaired;
        }
        tracing::debug!(compared = all.compared, found = all.found, "copies are compared");
        Ok(all)
    }

    /// Looks for a gap, and says so.
    async fn look(&self) -> Result<Option<Gap>, Error> {
        let gap = self.0.gaps.look().await?;
        let was = self.0.is_whole.send_replace(Some(gap.is_none()));
        self.0.missed.set(gap.is_some().into());
        if let Some(Gap { seen, first }) = gap.filter(|_| was != Some(false)) {
            tracing::warn!(seen, first, "EVENTS has forgotten what may not have been seen here: copies are compared");
        }
        Ok(gap)
    }

    /// Takes from the owners what EVENTS has forgotten.
    async fn make_up(&self, copies: &impl Copies) {
        let gap = match self.look().await {
            Ok(Some(gap)) => gap,
            Ok(None) => return,
            Err(error) => return gaps::unknown(error),
        };
        let made_up = async {
            let done = self.run(copies).await?;
            self.0.gaps.close(gap).await?;
            Ok::<_, Error>(done)
        };
        match made_up.await {
            Ok(done) => {
                if done.found > 0 {
                    self.0.gaps_found.inc();
                    tracing::error!(found = done.found, "events were missed, and are made up for");
                }
                self.0.missed.set(0);
                self.0.is_whole.send_replace(Some(true));
            }
            failed => self.log(failed),
        }
    }

    fn log(&self, round: Result<Reconciled, Error>) {
        if let Err(error) = round {
            tracing::warn!(error = %anyhow::Error::from(error).chain_line(), "copies cannot be compared now");
        }
    }

    /// When the next comparison is due: each replica at another moment.
    fn next(&self) -> Option<Instant> {
        let every = Duration::from_secs(self.0.settings.reconcile_every);
        let jitter = 0.9 + 0.2 * f64::from(random_bytes::<1>()[0]) / 255.0;
        (!every.is_zero()).then(|| Instant::now() + every.mul_f64(jitter))
    }
}
