//! The cache of one process (bindings, rates, settlements and ids of quarantined windows), and the
//! task that updates it from the feed of events.
//!
//! The feed requests from the stream the next event after the last one that it has read. The reply
//! that there is none means that every event up to the moment of the request is read. Each batch of
//! windows waits for such a query that begins after the batch has arrived. Batches that wait at the
//! same time share one query.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream;
use contracts::{Event, IngestItem, Millis, ProjectId, QuarantineChanged, SettlementChanged, WindowId};
use futures::StreamExt;
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

/// The interval between two queries when no batch waits.
const IDLE: Duration = Duration::from_secs(1);
/// How long a batch waits for a query at most. After that the batch goes on without the cache.
const PATIENCE: Duration = Duration::from_millis(100);
/// The pause before the feed starts again after an error.
const PAUSE: Duration = Duration::from_millis(200);
/// The most bindings that are read from the database together.
const MOST_READ: usize = 5_000;
/// How long it takes at most until a stored event is visible to all consumers.
const SEEN: Duration = Duration::from_millis(20);
/// The most settlements that wake the feed together.
const MOST_AT_ONCE: usize = 1_000;
/// How often the cache tries again to read the quarantined ids and the rates after there were too
/// many of them.
const RECOUNT: Duration = Duration::from_secs(60);

/// The result of the last query of the feed.
#[derive(Clone, Copy, Debug, Default)]
struct FinishedQuery {
    number: u64,
    /// None while the feed does not run.
    seen: Option<CatchUp>,
}

/// The point up to which this process has read EVENTS.
#[derive(Clone, Copy, Debug)]
pub(super) struct CatchUp {
    /// The number of the query that has reached this point.
    pub(super) number: u64,
    /// The moment up to which every published event is read.
    pub(super) up_to: Millis,
    /// The sequence number of the last event about a binding; 0 if none has come since the feed
    /// began.
    pub(super) place: u64,
}

/// The pause before all rates are read again, if the copy was not complete.
const RATES_AGAIN: Duration = Duration::from_secs(1);

/// The cache, and the moment up to which it is complete.
#[derive(Debug)]
pub(crate) struct Memory {
    /// The connection for queries of the feed. On the shared connection, queries would wait behind
    /// publishes.
    jetstream: jetstream::Context,
    remembered: Mutex<Remembered>,
    /// The settlements; none while the feed does not run.
    settled: Mutex<Option<SettledCopy>>,
    /// The sequence number in EVENTS of the last event about a binding.
    changed_at: AtomicU64,
    /// The number of queries that have begun.
    begun: AtomicU64,
    ended: watch::Sender<FinishedQuery>,
    /// Wakes the feed when a batch waits.
    awaited: Notify,
    /// The keys of the bindings that the cache must still read: the five keys of each window.
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

    /// Starts three tasks that run until shutdown: one reads events, one reads missing bindings,
    /// and one wakes the first after a settlement.
    pub(crate) fn keep(app: Arc<App>, shutdown: &Shutdown) {
        let (feed, stop) = (app.clone(), shutdown.clone());
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                if let Err(error) = feed.memory.follow(&feed, &stop).await {
                    tracing::warn!(error = format!("{error:#}"), "what is remembered is forgotten");
                }
                // The cache must be emptied before the end of the feed is published. Otherwise a
                // batch could use incomplete data.
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
        let (reader, stop) = (app.clone(), shutdown.clone());
        shutdown.spawn(async move {
            loop {
                tokio::select! {
                    () = reader.memory.missed.notified() => {}
                    () = stop.stopping() => return,
                }
                reader.memory.read(&reader).await;
            }
        });
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            tokio::select! {
                () = wake_after_settlements(&app) => {}
                () = stop.stopping() => {}
            }
        });
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled(&self) -> MutexGuard<'_, Option<SettledCopy>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For each of these ranges, what has settled it according to the cache, and the locks of other
    /// projects that end after its start. None if the feed does not run: then the database must be
    /// queried.
    pub(super) fn settled_by(&self, worked: &[Option<Worked>]) -> Option<Vec<Judged>> {
        let copy = self.settled();
        let settled = copy.as_ref()?.settled();
        if settled.is_empty() {
            return Some(vec![Judged::default(); worked.len()]);
        }
        Some(worked.iter().map(|one| one.map(|one| Judged::by(settled, one)).unwrap_or_default()).collect())
    }

    /// Waits for a query that begins after this call. Returns the moment up to which every
    /// published event is read; none if the feed does not run, or if the wait takes longer than
    /// [`PATIENCE`].
    pub(crate) async fn complete(&self) -> Option<Millis> {
        self.see_within(PATIENCE).await.map(|seen| seen.up_to)
    }

    /// Waits for a query that begins after this call, at most for this duration.
    pub(super) async fn see_within(&self, patience: Duration) -> Option<CatchUp> {
        let mut ended = self.ended.subscribe();
        ended.borrow_and_update().seen?;
        let next = self.begun.load(Ordering::SeqCst) + 1;
        self.awaited.notify_one();
        let query = timeout(patience, ended.wait_for(|query| query.number >= next || query.seen.is_none())).await;
        query.ok()?.ok()?.seen
    }

    /// The result of the last query; none while the feed does not run.
    pub(super) fn seen(&self) -> Option<CatchUp> {
        self.ended.borrow().seen
    }

    /// The cached bindings of these windows.
    pub(crate) fn of(&self, items: &[IngestItem]) -> Bindings {
        self.remembered().of(items)
    }

    /// All rates and the time zone of the organisation, as of the last query; none unless all rates
    /// and the time zone are cached.
    pub(crate) fn prices(&self) -> Option<Prices> {
        self.remembered().prices()
    }

    /// Requests that the bindings of these windows are read into the cache.
    pub(crate) fn want<'a>(&self, items: impl IntoIterator<Item = &'a IngestItem>) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (MOST_READ / 5).saturating_sub(missing.len());
        missing.extend(items.into_iter().take(room).map(Bindings::keys));
        drop(missing);
        self.missed.notify_one();
    }

    /// Whether any of these windows may be quarantined.
    pub(crate) fn may_be_quarantined(&self, ids: impl IntoIterator<Item = WindowId>) -> bool {
        let remembered = self.remembered();
        ids.into_iter().any(|id| remembered.may_be_quarantined(id))
    }

    /// Removes from the cache the ids of windows that are no longer quarantined.
    pub(crate) fn let_go(&self, ids: impl IntoIterator<Item = WindowId>) {
        self.remembered().let_go(ids);
    }

    /// Reads the missing bindings into the cache, if the copy in the database is complete.
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

    /// Reads all settlements from the database. A settlement is stored before it is published, so
    /// this read finds every settlement that the feed has passed. The feed is not queried during the
    /// read, so its position does not change. Afterwards every settlement up to this position is
    /// known.
    async fn read_settled(&self, app: &App, feed: &Feed) -> anyhow::Result<()> {
        let mut copy = SettledCopy::default();
        app.store.settlements.all().await?.into_iter().for_each(|one| copy.apply(one));
        *self.settled() = Some(copy);
        app.settling.begin_hearing(feed.next - 1);
        Ok(())
    }

    /// Reads the ids of quarantined and discarded windows. A window is stored in quarantine before
    /// its event is published, and no query of the feed runs during this read. So no id is missed
    /// between this read and the next event.
    async fn read_quarantined(&self, app: &App) -> anyhow::Result<()> {
        // With `COUNT_OVERLAPS`, the ids must include windows that were admitted as adjustments: no
        // settlement keeps these windows from being recorded again.
        let quarantined = app.store.quarantine.kept(app.config.count_overlaps, MOST_QUARANTINED + 1).await?;
        self.remembered().keep_quarantined(quarantined);
        Ok(())
    }

    /// Reads all rates into the cache, once the copy in the database has every event that the feed
    /// has read. Returns the pause until the next attempt, which is needed only if the rates are
    /// not cached afterwards.
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

    /// Reads the time zone of the organisation. A new zone is stored before its event is
    /// published, so after the event this reads the new zone.
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
        // An event that cannot be read is not applied to the copy in the database either.
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
                        // A settlement is useless without the earlier ones. If these are not
                        // cached, batches query the database.
                        if let Some(copy) = self.settled().as_mut() {
                            copy.apply(settlement);
                            app.settling.hear(place);
                        }
                    }
                    Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
                }
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.settings.") => self.remembered().set_zone(None),
            // A comparison has repaired the copy in the database, so the cache, which comes from
            // events, may be wrong.
            Ok(None) if subject.starts_with("evt.timetrack.v1.bindings.") => self.remembered().forget(),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
        }
    }
}

/// Wakes the feed after each settlement that any process publishes. A handler that settles time
/// waits until every process has read the settlement, and an idle process would read it only after
/// [`IDLE`]. A message that is lost here costs only this time, because the feed reads the stream.
async fn wake_after_settlements(app: &App) {
    let mut published = match app.bus.client.subscribe(SettlementChanged::filter()).await {
        Ok(published) => published.ready_chunks(MOST_AT_ONCE),
        Err(error) => return tracing::warn!(%error, "settlements are read up to a second late"),
    };
    while published.next().await.is_some() {
        // The message arrives here before the stream has stored it.
        sleep(SEEN).await;
        app.memory.awaited.notify_one();
    }
}

/// What has settled a window, as far as that is known without reading other windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// What has settled the window; none if nothing has.
    pub(super) by: Option<SettledBy>,
    /// The locks of other projects that end after the start of the window. If the window overlaps a
    /// window that such a lock has settled, it is settled too.
    pub(super) beside: Vec<(ProjectId, Millis)>,
}

impl Judged {
    pub(super) fn by(settled: &Settled, worked: Worked) -> Self {
        Self { by: settled.by(worked), beside: settled.locks_beside(worked) }
    }
}
