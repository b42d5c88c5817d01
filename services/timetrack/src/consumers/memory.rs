//! What this process remembers of who may track on what and of what is held, kept up to date by events
//! that it follows itself.
//!
//! It asks the stream for the next event after those that it knows: so the word that there is none says
//! that by the moment at which it was asked everything is known. Each batch waits for a look that begins
//! after it has come; batches that wait at the same time share one. That word counts only from a leader beside whom
//! nobody else can have been elected (see [`Lease`]).

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use async_nats::jetstream::{self, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use contracts::{IngestItem, Millis, ProjectId, SettlementChanged, WindowId, WindowsHeld, stream};
use kit::{Lease, Shutdown};
use serde::Deserialize;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    App,
    domain::{
        Binding, BindingKey, Bindings, HeardSettled, MOST_HELD, MOST_RATES, Prices, Remembered, Settled, SettledBy,
        Worked,
    },
};

/// The subjects of all events that tell of a changed aggregate.
const CHANGES: &str = "evt.*.v1.*.*.changed";
/// How often there is a look where no batch waits for one.
const IDLE: Duration = Duration::from_secs(1);
/// How often what holds no such events is left behind: the server looks through it each time.
const READ_ON: Duration = Duration::from_millis(250);
/// How long a batch waits for a look before it does without.
const PATIENCE: Duration = Duration::from_millis(100);
/// A look that has not ended after so long is lost, and maybe some event with it.
const LOST: Duration = Duration::from_secs(2);
/// The pause before the feed begins anew.
const PAUSE: Duration = Duration::from_millis(200);
/// The most parties that are read at once.
const MOST_READ: usize = 5_000;
/// How long an event that is stored may take to be seen by all consumers.
const SEEN: Duration = Duration::from_millis(20);
/// How often it is counted anew what is held, and rates are read anew, where that was too much.
const RECOUNT: Duration = Duration::from_secs(60);

/// A look that has ended.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    number: u64,
    /// Nothing while there is no feed.
    seen: Option<Seen>,
}

/// What a look has found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Which look it was.
    pub(super) number: u64,
    /// Up to when everything is known.
    pub(super) up_to: Millis,
    /// The place of the last event then that changes who may track on what; 0 where none has come since the feed began.
    pub(super) place: u64,
}

/// How often it is tried to read all rates, where not all may be there yet.
const RATES_AGAIN: Duration = Duration::from_secs(1);

/// What is remembered, and how far that is complete.
#[derive(Debug)]
pub(crate) struct Memory {
    /// For looks alone, on a connection of its own: on the bus's they would wait for the disk with all that this
    /// process publishes.
    jetstream: jetstream::Context,
    remembered: Mutex<Remembered>,
    /// What is settled; nothing while there is no feed.
    settled: Mutex<Option<HeardSettled>>,
    /// The place of the last event that changes who may track on what.
    changed_at: AtomicU64,
    /// How many looks have begun.
    begun: AtomicU64,
    ended: watch::Sender<Look>,
    /// Somebody waits for a look.
    awaited: Notify,
    /// Windows whose parties are to be remembered.
    missing: Mutex<Vec<[BindingKey; 5]>>,
    missed: Notify,
}

impl Memory {
    /// Remembers nothing yet.
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

    /// Follows the events until shutdown.
    pub(crate) fn keep(app: Arc<App>, shutdown: &Shutdown) {
        let (feed, stop) = (app.clone(), shutdown.clone());
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                if let Err(error) = feed.memory.follow(&feed, &stop).await {
                    tracing::warn!(error = format!("{error:#}"), "what is remembered is forgotten");
                }
                // Before the word that there is no feed: nobody is to believe what may lack something.
                feed.memory.remembered().forget();
                feed.memory.changed_at.store(0, Ordering::SeqCst);
                *feed.memory.settled() = None;
                feed.memory.ended.send_modify(|look| look.seen = None);
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

    fn settled(&self) -> MutexGuard<'_, Option<HeardSettled>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What settles each of these, and the locks of projects beside it; nothing where the database has to
    /// be asked.
    pub(super) fn settled_by(&self, worked: &[Option<Worked>]) -> Option<Vec<Judged>> {
        let heard = self.settled();
        let settled = heard.as_ref()?.settled();
        if settled.is_empty() {
            return Some(vec![Judged::default(); worked.len()]);
        }
        Some(worked.iter().map(|one| one.map(|one| Judged::by(settled, one)).unwrap_or_default()).collect())
    }

    /// Waits for a look that begins now, and gives the moment up to which everything is known that was
    /// published before; nothing where that does not end in time.
    pub(crate) async fn complete(&self) -> Option<Millis> {
        self.see_within(PATIENCE).await.map(|seen| seen.up_to)
    }

    /// Waits so long for a look that begins now.
    pub(super) async fn see_within(&self, patience: Duration) -> Option<Seen> {
        let mut ended = self.ended.subscribe();
        ended.borrow_and_update().seen?;
        let next = self.begun.load(Ordering::SeqCst) + 1;
        self.awaited.notify_one();
        let look = timeout(patience, ended.wait_for(|look| look.number >= next || look.seen.is_none())).await;
        look.ok()?.ok()?.seen
    }

    /// What the last look has found.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.ended.borrow().seen
    }

    /// What is remembered of the parties to these windows.
    pub(crate) fn of(&self, items: &[IngestItem]) -> Bindings {
        self.remembered().of(items)
    }

    /// By what all time is priced; nothing where not all of that is remembered. As complete as it was
    /// last found to be.
    pub(crate) fn prices(&self) -> Option<Prices> {
        self.remembered().prices()
    }

    /// Remembers the parties to these windows from soon on.
    pub(crate) fn want<'a>(&self, items: impl IntoIterator<Item = &'a IngestItem>) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (MOST_READ / 5).saturating_sub(missing.len());
        missing.extend(items.into_iter().take(room).map(Bindings::keys));
        drop(missing);
        self.missed.notify_one();
    }

    /// Whether any of these may be held.
    pub(crate) fn may_be_held(&self, ids: impl IntoIterator<Item = WindowId>) -> bool {
        let remembered = self.remembered();
        ids.into_iter().any(|id| remembered.may_be_held(id))
    }

    /// These are held no longer.
    pub(crate) fn let_go(&self, ids: impl IntoIterator<Item = WindowId>) {
        self.remembered().let_go(ids);
    }

    /// Reads the parties that are missing.
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

    /// Follows until shutdown; an error means that an event may have been missed.
    async fn follow(&self, app: &App, stop: &Shutdown) -> anyhow::Result<()> {
        let mut feed = Feed::begin(self.jetstream.clone()).await?;
        self.look(app, &mut feed).await?;
        self.read_settled(app, &feed).await?;
        let mut counted_at = Instant::now();
        self.count_held(app).await?;
        let mut rates_due_at = Instant::now() + self.read_rates(app, &mut feed).await?;
        loop {
            tokio::select! {
                () = self.awaited.notified() => {}
                () = sleep(IDLE) => {}
                () = stop.stopping() => return Ok(()),
            }
            self.look(app, &mut feed).await?;
            if counted_at.elapsed() > RECOUNT && !self.remembered().knows_held() {
                counted_at = Instant::now();
                self.count_held(app).await?;
            }
            if rates_due_at <= Instant::now() && !self.remembered().knows_rates() {
                rates_due_at = Instant::now() + self.read_rates(app, &mut feed).await?;
            }
        }
    }

    /// Reads what is settled. Whoever settles something writes it down before telling, and no look is under
    /// way meanwhile: so all is known that was told up to the feed's place.
    async fn read_settled(&self, app: &App, feed: &Feed) -> anyhow::Result<()> {
        let mut heard = HeardSettled::default();
        app.store.settlements.all().await?.into_iter().for_each(|one| heard.hear(one));
        *self.settled() = Some(heard);
        app.settling.begin_hearing(feed.next - 1);
        Ok(())
    }

    /// Reads what is held, and what was discarded. No look is under way meanwhile, so nothing is heard between the read and
    /// what is kept of it; and who holds a window writes it down before telling.
    async fn count_held(&self, app: &App) -> anyhow::Result<()> {
        // Where overlaps count, nothing else keeps out what was admitted as an adjustment.
        let held = app.store.quarantine.kept(app.config.count_overlaps, MOST_HELD + 1).await?;
        self.remembered().keep_held(held);
        Ok(())
    }

    /// Reads all rates, once the copy holds all that was published before this process heard of any.
    /// Says when it is tried again, where they are not known then.
    async fn read_rates(&self, app: &App, feed: &mut Feed) -> anyhow::Result<Duration> {
        sleep(SEEN).await;
        self.look(app, feed).await?;
        match self.seen() {
            Some(seen) if app.knowledge.has(app, seen).await => {}
            _ => return Ok(RATES_AGAIN),
        }
        let all = app.store.bindings.all_rates(MOST_RATES).await?;
        self.remembered().keep_rates(all);
        Ok(RECOUNT)
    }

    /// Reads where days begin. Whoever changes it writes it down before telling.
    async fn read_zone(&self, app: &App) {
        match app.store.settings.get().await {
            Ok(settings) => self.remembered().set_zone(Some(settings.timezone)),
            Err(error) => tracing::warn!(%error, "it is not known where days begin"),
        }
    }

    async fn look(&self, app: &App, feed: &mut Feed) -> anyhow::Result<()> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let up_to = feed
            .take_all(|| app.clock.now(), |place, subject, payload| self.hear(app, place, subject, payload))
            .await?;
        if !self.remembered().knows_zone() {
            self.read_zone(app).await;
        }
        let seen = Some(Seen { number, up_to, place: self.changed_at.load(Ordering::SeqCst) });
        self.ended.send_replace(Look { number, seen });
        Ok(())
    }

    fn hear(&self, app: &App, place: u64, subject: &str, payload: &[u8]) {
        // What cannot be read does not reach the copy in the database either.
        match Binding::read(subject, payload) {
            Ok(Some(binding)) => {
                self.changed_at.fetch_max(place, Ordering::SeqCst);
                self.remembered().hear(binding);
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.quarantine.") => {
                match serde_json::from_slice::<WindowsHeld>(payload) {
                    Ok(held) => self.remembered().hear_held(&held.windows),
                    Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
                }
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.settlement.") => {
                match serde_json::from_slice::<SettlementChanged>(payload) {
                    Ok(settlement) => {
                        // Without what was settled before, this alone is not all: it is read from the database.
                        if let Some(heard) = self.settled().as_mut() {
                            heard.hear(settlement);
                            app.settling.hear(place);
                        }
                    }
                    Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
                }
            }
            Ok(None) if subject.starts_with("evt.timetrack.v1.settings.") => self.remembered().set_zone(None),
            // The database holds something else than events have said.
            Ok(None) if subject.starts_with("evt.timetrack.v1.bindings.") => self.remembered().forget(),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
        }
    }
}

/// What settles a window, as far as that is known without a look at other windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// What settles it.
    pub(super) by: Option<SettledBy>,
    /// The locks of other projects that it lies before.
    pub(super) beside: Vec<(ProjectId, Millis)>,
}

impl Judged {
    pub(super) fn by(settled: &Settled, worked: Worked) -> Self {
        Self { by: settled.by(worked), beside: settled.locks_beside(worked) }
    }
}

/// The events that change what is remembered, read from the stream by their places: nothing is kept on
/// the server, so a lost connection loses none of them.
struct Feed {
    jetstream: jetstream::Context,
    lease: Lease,
    /// The place after all that was read.
    next: u64,
    read_on_at: Instant,
}

impl Feed {
    /// What is published from now on.
    async fn begin(jetstream: jetstream::Context) -> anyhow::Result<Self> {
        let next = places(&jetstream).await?.1 + 1;
        Ok(Self { jetstream, lease: Lease::default(), next, read_on_at: Instant::now() })
    }

    /// Takes all events that there are; gives the time at which there was none any more.
    async fn take_all(
        &mut self,
        now: impl Fn() -> Millis,
        mut hear: impl FnMut(u64, &str, &[u8]),
    ) -> anyhow::Result<Millis> {
        loop {
            let only_leader_until =
                timeout(LOST, self.lease.until(&self.jetstream)).await.context("a look was lost")??;
            let asked_at = now();
            if self.take_new(&mut hear).await? && Instant::now() < only_leader_until {
                return Ok(asked_at);
            }
        }
    }

    /// Takes the next event, if there is one; says whether there was none when this was asked.
    async fn take_new(&mut self, mut hear: impl FnMut(u64, &str, &[u8])) -> anyhow::Result<bool> {
        let places = if self.read_on_at.elapsed() > READ_ON { Some(places(&self.jetstream).await?) } else { None };
        // Of a stream that was made anew, and of what went before it was read, nothing is known.
        ensure!(places.is_none_or(|(first, last)| (first..=last + 1).contains(&self.next)), "events were missed");
        let ask = serde_json::json!({ "seq": self.next, "next_by_subj": CHANGES });
        let asked = self.jetstream.request(format!("STREAM.MSG.GET.{}", stream::EVENTS), &ask);
        let found: Response<Found> = timeout(LOST, asked).await.context("a look was lost")??;
        match found {
            Response::Ok(Found { message }) => {
                ensure!(message.seq >= self.next, "the stream is another one");
                self.next = message.seq + 1;
                hear(message.seq, &message.subject, &STANDARD.decode(message.data)?);
                Ok(false)
            }
            Response::Err { error } if error.code() == 404 => {
                // Up to there was nothing, so it need not be looked through again.
                if let Some((_, last)) = places {
                    (self.next, self.read_on_at) = (self.next.max(last + 1), Instant::now());
                }
                Ok(true)
            }
            Response::Err { error } => bail!("the stream says {error}"),
        }
    }
}

/// What the server says of a message.
#[derive(Deserialize)]
struct Found {
    message: FoundMessage,
}

#[derive(Deserialize)]
struct FoundMessage {
    subject: String,
    seq: u64,
    #[serde(default)]
    data: String,
}

/// The first place of the stream that is still there, and the last.
async fn places(jetstream: &jetstream::Context) -> anyhow::Result<(u64, u64)> {
    let events = timeout(LOST, jetstream.get_stream(stream::EVENTS)).await.context("no word from the stream")??;
    let state = &events.cached_info().state;
    Ok((state.first_sequence, state.last_sequence))
}

#[cfg(test)]
mod tests {
    use testkit::{NatsCluster, eventually_within};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn that_there_is_nothing_new_is_not_believed_of_a_leader_whom_nobody_hears() {
        const BOUND: Duration = Duration::from_secs(30);
        let cluster = NatsCluster::start().await;
        let mut feed = Feed::begin(cluster.jetstream().clone()).await.unwrap();
        let mut all = async || feed.take_all(|| Millis(7), |_, _, _| {}).await.ok();
        assert_eq!(eventually_within(BOUND, "there is nothing new", &mut all).await, Millis(7));
        cluster.silence_the_others();
        eventually_within(BOUND, "it answers, and is not believed", async || {
            (all().await.is_none() && places(cluster.jetstream()).await.is_ok()).then_some(())
        })
        .await;
        cluster.wake_the_others();
        eventually_within(BOUND, "it is believed again", &mut all).await;
    }
}
