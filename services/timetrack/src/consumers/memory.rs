//! The cache of one process (who may track on what, rates, settlements, quarantined ids), and the feed of events
//! that updates it.
//!
//! The feed asks the stream for the next event after the last one it has read. The answer that there is none means
//! that everything is read up to the moment of the request. Each batch waits for such a query that begins after
//! the batch has arrived; batches that wait at the same time share one.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream;
use contracts::{IngestItem, Millis, ProjectId, QuarantineChanged, SettlementChanged, WindowId};
use kit::Shutdown;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use super::feed::Feed;
use crate::{
    App,
    domain::{
        Binding, BindingKey, Bindings, MOST_QUARANTINED, MOST_RATES, Prices, Remembered, Settled, SettledBy,
        SettledCopy, Worked,
    },
};

/// The interval of queries when no batch waits.
const IDLE: Duration = Duration::from_secs(1);
/// How long a batch waits for a query before it goes on without the cache.
const PATIENCE: Duration = Duration::from_millis(100);
/// The pause before the feed starts again.
const PAUSE: Duration = Duration::from_millis(200);
/// The most bindings that are read together.
const MOST_READ: usize = 5_000;
/// How long a stored event may take to be visible to all consumers.
const SEEN: Duration = Duration::from_millis(20);
/// How often quarantined ids and rates are read again if there were too many.
const RECOUNT: Duration = Duration::from_secs(60);

/// A finished query.
#[derive(Clone, Copy, Debug, Default)]
struct FinishedQuery {
    number: u64,
    /// Nothing while there is no feed.
    seen: Option<CatchUp>,
}

/// Up to where this process has read EVENTS.
#[derive(Clone, Copy, Debug)]
pub(super) struct CatchUp {
    /// The number of the query.
    pub(super) number: u64,
    /// The moment up to which every published event is read.
    pub(super) up_to: Millis,
    /// The sequence number of the last event that changes who may track on what; 0 if none has come since the feed
    /// began.
    pub(super) place: u64,
}

/// How often reading all rates is tried again if they may be incomplete.
const RATES_AGAIN: Duration = Duration::from_secs(1);

/// The cache, and the moment up to which it is complete.
#[derive(Debug)]
pub(crate) struct Memory {
    /// For queries only, on its own connection: on the shared one they would wait behind publishes.
    jetstream: jetstream::Context,
    remembered: Mutex<Remembered>,
    /// The settlements; none while there is no feed.
    settled: Mutex<Option<SettledCopy>>,
    /// The sequence number in EVENTS of the last event that changes who may track on what.
    changed_at: AtomicU64,
    /// The number of queries that have begun.
    begun: AtomicU64,
    ended: watch::Sender<FinishedQuery>,
    /// Wakes the feed when a batch waits.
    awaited: Notify,
    /// The windows whose bindings will be cached.
    missing: Mutex<Vec<[BindingKey; 5]>>,
    missed: Notify,
}

impl Memory {
    /// An empty cache.
    pub(crate) fn new(jetstream: jetstream::Context) -> Self {
        Self {
            jetstream,
            remembered: Mutex::default(),
            settled: Mutex::default(),
            changed_at: AtomicU64::default(),
            begun: AtomicU64::default(),
            ended: watch::Sender::default(),
            awaited: Notify::default(),
            missing: Mutex::default(),
            missed: Notify::default(),
        }
    }

    /// Reads events until shutdown.
    pub(crate) fn keep(app: Arc<App>, shutdown: &Shutdown) {
        let (feed, stop) = (app.clone(), shutdown.clone());
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                if let Err(error) = feed.memory.follow(&feed, &stop).await {
                    tracing::warn!(error = format!("{error:#}"), "what is remembered is forgotten");
                }
                // Emptied before the end of the feed is published, so that nobody uses incomplete data.
                feed.memory.remembered().forget();
                feed.memory.changed_at.store(0, Ordering::SeqCst);
                *feed.memory.settled() = None;
                feed.memory.ended.send_modify(|query| query.seen = None);
                tokio::select! {
                    () = sleep(PAUSE) => {}
                    () = stop.stopping() => {}
                }
            }
        });
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            loop {
                tokio::select! {
                    () = app.memory.missed.notified() => {}
                    () = stop.stopping() => return,
                }
                app.memory.read(&app).await;
            }
        });
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled(&self) -> MutexGuard<'_, Option<SettledCopy>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has settled each of these, and the locks of other projects; none if the database must decide.
    pub(super) fn settled_by(&self, worked: &[Option<Worked>]) -> Option<Vec<Judged>> {
        let copy = self.settled();
        let settled = copy.as_ref()?.settled();
        if settled.is_empty() {
            return Some(vec![Judged::default(); worked.len()]);
        }
        Some(worked.iter().map(|one| one.map(|one| Judged::by(settled, one)).unwrap_or_default()).collect())
    }

    /// Waits for a query that begins now, and returns the moment up to which everything published is read; none if
    /// that takes too long.
    pub(crate) async fn complete(&self) -> Option<Millis> {
        self.see_within(PATIENCE).await.map(|seen| seen.up_to)
    }

    /// Waits at most this long for a query that begins now.
    pub(super) async fn see_within(&self, patience: Duration) -> Option<CatchUp> {
        let mut ended = self.ended.subscribe();
        ended.borrow_and_update().seen?;
        let next = self.begun.load(Ordering::SeqCst) + 1;
        self.awaited.notify_one();
        let query = timeout(patience, ended.wait_for(|query| query.number >= next || query.seen.is_none())).await;
        query.ok()?.ok()?.seen
    }

    /// The result of the last query.
    pub(super) fn seen(&self) -> Option<CatchUp> {
        self.ended.borrow().seen
    }

    /// The cached bindings of these windows.
    pub(crate) fn of(&self, items: &[IngestItem]) -> Bindings {
        self.remembered().of(items)
    }

    /// The prices of all time; none if a part of them is not cached. As complete as at the last query.
    pub(crate) fn prices(&self) -> Option<Prices> {
        self.remembered().prices()
    }

    /// Requests that the bindings of these windows are cached.
    pub(crate) fn want<'a>(&self, items: impl IntoIterator<Item = &'a IngestItem>) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (MOST_READ / 5).saturating_sub(missing.len());
        missing.extend(items.into_iter().take(room).map(Bindings::keys));
        drop(missing);
        self.missed.notify_one();
    }

    /// Whether any of these may be quarantined.
    pub(crate) fn may_be_quarantined(&self, ids: impl IntoIterator<Item = WindowId>) -> bool {
        let remembered = self.remembered();
        ids.into_iter().any(|id| remembered.may_be_quarantined(id))
    }

    /// Removes ids that are no longer quarantined.
    pub(crate) fn let_go(&self, ids: impl IntoIterator<Item = WindowId>) {
        self.remembered().let_go(ids);
    }

    /// Reads missing bindings.
    async fn read(&self, app: &App) {
        let missing = std::mem::take(&mut *self.missing.lock().unwrap_or_else(PoisonError::into_inner));
        if self.seen().is_none() {
            return;
        }
        let (life, wanted) = self.remembered().want(missing.into_iter().flatten());
        if wanted.is_empty() {
            return;
        }
        sleep(SEEN).await;
        let rows = match app.knowledge.is_complete(app).await {
            true => app.store.bindings.rows(wanted.iter().copied()).await.map(Some),
            false => Ok(None),
        };
        match rows {
            Ok(Some(rows)) => self.remembered().keep(life, &wanted, rows),
            Ok(None) => self.remembered().drop_wanted(life, &wanted),
            Err(error) => {
                tracing::warn!(%error, "who may track on what is not remembered yet");
                self.remembered().drop_wanted(life, &wanted);
            }
        }
    }

    /// Reads events until shutdown. An error means that an event may have been missed.
    async fn follow(&self, app: &App, stop: &Shutdown) -> anyhow::Result<()> {
        let mut feed = Feed::begin(self.jetstream.clone()).await?;
        self.query(app, &mut feed).await?;
        self.read_settled(app, &feed).await?;
        let mut counted_at = Instant::now();
        self.read_quarantined(app).await?;
        let mut rates_due_at = Instant::now() + self.read_rates(app, &mut feed).await?;
        loop {
            tokio::select! {
                () = self.awaited.notified() => {}
                () = sleep(IDLE) => {}
                () = stop.stopping() => return Ok(()),
            }
            self.query(app, &mut feed).await?;
            if counted_at.elapsed() > RECOUNT && !self.remembered().knows_quarantined() {
                counted_at = Instant::now();
                self.read_quarantined(app).await?;
            }
            if rates_due_at <= Instant::now() && !self.remembered().knows_rates() {
                rates_due_at = Instant::now() + self.read_rates(app, &mut feed).await?;
            }
        }
    }

    /// Reads all settlements. They are stored before they are published, and no query runs meanwhile, so
    /// everything up to the feed's position is known.
    async fn read_settled(&self, app: &App, feed: &Feed) -> anyhow::Result<()> {
        let mut copy = SettledCopy::default();
        app.store.settlements.all().await?.into_iter().for_each(|one| copy.apply(one));
        *self.settled() = Some(copy);
        app.settling.begin_hearing(feed.next - 1);
        Ok(())
    }

    /// Reads the ids of quarantined and discarded windows. No query runs meanwhile, and a window is stored in
    /// quarantine before its event is published, so no id is missed between this read and the next event.
    async fn read_quarantined(&self, app: &App) -> anyhow::Result<()> {
        // While overlaps count, only this read keeps windows out that were admitted as adjustments.
        let quarantined = app.store.quarantine.kept(app.config.count_overlaps, MOST_QUARANTINED + 1).await?;
        self.remembered().keep_quarantined(quarantined);
        Ok(())
    }

    /// Reads all rates, once the copy has everything that was published before the first rate was applied from an
    /// event. Returns when to try again if they are not known.
    async fn read_rates(&self, app: &App, feed: &mut Feed) -> anyhow::Result<Duration> {
        sleep(SEEN).await;
        self.query(app, feed).await?;
        match self.seen() {
            Some(seen) if app.knowledge.has(app, seen).await => {}
            _ => return Ok(RATES_AGAIN),
        }
        let all = app.store.bindings.all_rates(MOST_RATES).await?;
        self.remembered().keep_rates(all);
        Ok(RECOUNT)
    }

    /// Reads the time zone. A change is stored before it is published.
    async fn read_zone(&self, app: &App) {
        match app.store.settings.get().await {
            Ok(settings) => self.remembered().set_zone(Some(settings.timezone)),
            Err(error) => tracing::warn!(%error, "it is not known where days begin"),
        }
    }

    async fn query(&self, app: &App, feed: &mut Feed) -> anyhow::Result<()> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let up_to = feed
            .take_all(|| app.clock.now(), |place, subject, payload| self.apply(app, place, subject, payload))
            .await?;
        if !self.remembered().knows_zone() {
            self.read_zone(app).await;
        }
        let seen = Some(CatchUp { number, up_to, place: self.changed_at.load(Ordering::SeqCst) });
        self.ended.send_replace(FinishedQuery { number, seen });
        Ok(())
    }

    fn apply(&self, app: &App, place: u64, subject: &str, payload: &[u8]) {
        // An unreadable event does not reach the copy in the database either.
        match Binding::read(subject, payload) {
            Ok(Some(binding)) => {
                self.changed_at.fetch_max(place, Ordering::SeqCst);
                self.remembered().apply(binding);
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.quarantine.") => {
                match serde_json::from_slice::<QuarantineChanged>(payload) {
                    Ok(quarantined) => self.remembered().add_quarantined(&quarantined.windows),
                    Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
                }
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.settlement.") => {
                match serde_json::from_slice::<SettlementChanged>(payload) {
                    Ok(settlement) => {
                        // Without the earlier settlements this one is not enough: then the database is read instead.
                        if let Some(copy) = self.settled().as_mut() {
                            copy.apply(settlement);
                            app.settling.hear(place);
                        }
                    }
                    Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
                }
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.settings.") => self.remembered().set_zone(None),
            // The copy in the database was repaired, and differs from what events said.
            Ok(None) if subject.starts_with("evt.timetrack.v1.bindings.") => self.remembered().forget(),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
        }
    }
}

/// What has settled a window, as far as that does not depend on other windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// What has settled it.
    pub(super) by: Option<SettledBy>,
    /// The locks of other projects after which it is.
    pub(super) beside: Vec<(ProjectId, Millis)>,
}

impl Judged {
    pub(super) fn by(settled: &Settled, worked: Worked) -> Self {
        Self { by: settled.by(worked), beside: settled.locks_beside(worked) }
    }
}
