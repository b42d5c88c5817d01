use std::{fmt, sync::Arc, time::Duration};

use contracts::{Caller, Code, Failure, Reconciled, Request};
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    Bus, Database, Deps, Error, LocalCopy, Shape, Shutdown, Tally, config,
    endpoints::ChainLine,
    gaps::{self, CHECK_EVERY, Gap, Gaps},
    metrics::{Counter, Gauge, Labelled},
    random_bytes,
};

/// How long a comparison waits until the service has processed the events in EVENTS.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two checks whether these events are processed.
const PAUSE: Duration = Duration::from_millis(20);
/// How many requests for one page are sent at most while its owner is unreachable, and the pause
/// after the first of them. The pause doubles each time.
const TRIES: (u32, Duration) = (5, Duration::from_millis(200));
/// How long the last check for missed events may take while the process stops.
const LAST_CHECK: Duration = Duration::from_secs(1);

/// A service that keeps copies of other services' data.
pub trait Copies: Send + Sync + 'static {
    /// The reconciler of the copies.
    fn reconciler(&self) -> &Reconciler;

    /// Compares each copy with its owner's data and repairs differences. Returns the name and the
    /// counts of each copy.
    fn compare_all(&self) -> impl Future<Output = Result<Vec<(&'static str, Tally)>, Error>> + Send;
}

/// Compares a service's copies of other services' data with the owners' data: on a schedule, on
/// request, and when events that the service may not have processed were purged from EVENTS.
///
/// Replicas of the service may compare at the same time: a repair never overwrites newer data.
#[derive(Clone)]
pub struct Reconciler(Arc<Inner>);

struct Inner {
    bus: Bus,
    gaps: Gaps,
    settings: config::Reconcile,
    /// Held during a comparison, so that this process runs only one comparison at a time.
    one_at_a_time: Mutex<()>,
    /// Whether the copies lack no event: none was missed, or the copies were compared since. None
    /// before the first check.
    has_all: watch::Sender<Option<bool>>,
    found: Labelled<Counter>,
    repaired: Labelled<Counter>,
    rounds: Labelled<Counter>,
    missed: Gauge,
    gaps_found: Counter,
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reconciler")
    }
}

impl Reconciler {
    /// The collection that the reconciler needs.
    pub fn shape() -> Shape {
        gaps::gaps_shape()
    }

    /// A reconciler for the copies with these names. While events were missed and the copies have
    /// not been compared since, the service is not ready.
    pub fn new(deps: &Deps, db: &Database, copies: &[&'static str]) -> Self {
        let metrics = deps.bus.metrics();
        let [found, repaired, rounds] = [(); 3].map(|()| Labelled::<Counter>::default());
        // Creates the counters with the value 0. An alert on an increase misses a counter whose
        // first value is above 0.
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
            one_at_a_time: Mutex::default(),
            has_all: watch::Sender::new(None),
            found,
            repaired,
            rounds,
            missed: metrics.gauge("t3_events_missed", "Whether events were missed and are not made up for yet"),
            gaps_found: gaps::counter(deps),
        });
        let asked = inner.clone();
        deps.health.waits_until("made up for missed events", move || *asked.has_all.borrow() != Some(false));
        Self(inner)
    }

    /// How long to wait before a difference is checked again, because the owner may not have
    /// published the event that explains it yet: the setting `RECONCILE_SETTLE`.
    pub fn settle(&self) -> Duration {
        Duration::from_secs(self.0.settings.reconcile_settle)
    }

    /// Starts to compare on schedule, and whenever events were missed, until shutdown. The first
    /// check for missed events has ended when this function returns, so call it before the service
    /// consumes or answers anything.
    pub async fn keep<C: Copies>(copies: Arc<C>, shutdown: &Shutdown) {
        let this = copies.reconciler().clone();
        if let Err(error) = this.check().await {
            gaps::log_failed_check(error);
        }
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            let mut due = this.next();
            while !stop.is_stopping() {
                let work = async {
                    this.repair_gap(&*copies).await;
                    if due.is_some_and(|due| Instant::now() >= due) {
                        this.log(this.run(&*copies).await);
                        due = this.next();
                    }
                    sleep(CHECK_EVERY).await;
                };
                tokio::select! {
                    () = work => {}
                    () = stop.stopping() => {}
                }
            }
            // Moves the mark forward once more. Otherwise events that are purged while no replica
            // runs would count as missed.
            let _ = timeout(LAST_CHECK, this.check()).await;
        });
    }

    /// Waits until it is certain that the copies lack no event, or until shutdown.
    pub async fn until_whole(&self, shutdown: &Shutdown) {
        let mut has_all = self.0.has_all.subscribe();
        tokio::select! {
            _ = has_all.wait_for(|has_all| *has_all == Some(true)) => {}
            () = shutdown.stopping() => {}
        }
    }

    /// Whether the copies lacked no event at the last check: none was missed, or the copies were
    /// compared since.
    pub fn is_whole(&self) -> bool {
        *self.0.has_all.borrow() == Some(true)
    }

    /// Compares all copies now. The comparison continues when the caller stops waiting.
    ///
    /// # Errors
    /// Those of the comparison.
    pub async fn now<C: Copies>(copies: Arc<C>) -> Result<Reconciled, Error> {
        let round = tokio::spawn(async move { copies.reconciler().run(&*copies).await });
        round.await.map_err(anyhow::Error::from)?
    }

    /// Compares one copy with its owner's data, page by page, and repairs differences.
    ///
    /// A page with differences is requested again, and compared again after all events that were in
    /// EVENTS by then are processed. No event on its way can explain a difference that remains.
    ///
    /// # Errors
    /// When the owner, NATS or MongoDB cannot be reached.
    pub async fn compare<M: LocalCopy>(&self, local_copy: &M) -> Result<Tally, Error> {
        let (mut tally, mut after) = (Tally::default(), None);
        loop {
            let mut page = self.ask(&local_copy.ask(after)).await?;
            let before = local_copy.differences(after, &page).await?;
            if !before.differing.is_empty() || !before.extra.is_empty() {
                page = self.ask(&local_copy.ask(after)).await?;
                self.until_applied().await?;
                let still = local_copy.differences(after, &page).await?;
                for entry in still.differing {
                    tally.found(local_copy.heal(entry).await?);
                }
                // The owner may have added an entry after making the page. Such an entry is not
                // extra.
                for key in still.extra.into_iter().filter(|key| before.extra.contains(key)) {
                    tally.found(local_copy.end(key).await?);
                }
            }
            tally.compared += page.items.len() as u64;
            after = page.next;
            if after.is_none() {
                return Ok(tally);
            }
        }
    }

    /// Sends a request to an owner. Repeats the request while the owner is unreachable.
    ///
    /// # Errors
    /// The failure of the last request.
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

    /// Waits until this service has processed everything that is in EVENTS now.
    ///
    /// # Errors
    /// 503 when that takes more than 30 seconds. A comparison would then report differences that
    /// are none.
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
        let _guard = self.0.one_at_a_time.lock().await;
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

    /// Checks for a gap, and reports it in the metrics and the log.
    async fn check(&self) -> Result<Option<Gap>, Error> {
        let gap = self.0.gaps.check().await?;
        let was = self.0.has_all.send_replace(Some(gap.is_none()));
        self.0.missed.set(gap.is_some().into());
        if let Some(Gap { seen, first }) = gap.filter(|_| was != Some(false)) {
            tracing::warn!(seen, first, "EVENTS has forgotten what may not have been seen here: copies are compared");
        }
        Ok(gap)
    }

    /// If there is a gap, compares all copies and then closes the gap.
    async fn repair_gap(&self, copies: &impl Copies) {
        let gap = match self.check().await {
            Ok(Some(gap)) => gap,
            Ok(None) => return,
            Err(error) => return gaps::log_failed_check(error),
        };
        let repaired_gap = async {
            let done = self.run(copies).await?;
            self.0.gaps.close(gap).await?;
            Ok::<_, Error>(done)
        };
        match repaired_gap.await {
            Ok(done) => {
                if done.found > 0 {
                    self.0.gaps_found.inc();
                    tracing::error!(found = done.found, "events were missed, and are made up for");
                }
                self.0.missed.set(0);
                self.0.has_all.send_replace(Some(true));
            }
            failed => self.log(failed),
        }
    }

    fn log(&self, round: Result<Reconciled, Error>) {
        if let Err(error) = round {
            tracing::warn!(error = %anyhow::Error::from(error).chain_line(), "copies cannot be compared now");
        }
    }

    /// When the next scheduled comparison is due. The time varies at random by a tenth, so that
    /// replicas do not compare at the same time. None without a schedule.
    fn next(&self) -> Option<Instant> {
        let every = Duration::from_secs(self.0.settings.reconcile_every);
        let jitter = 0.9 + 0.2 * f64::from(random_bytes::<1>()[0]) / 255.0;
        (!every.is_zero()).then(|| Instant::now() + every.mul_f64(jitter))
    }
}
