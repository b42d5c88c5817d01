//! What this process remembers of who may track on what and of what is held, kept up to date by events
//! that it follows itself.
//!
//! It asks its own consumer for what is new, and for nothing to wait for: so the word "no more" says
//! that by the moment at which it was asked everything is known. Each batch waits for such a look
//! that began after the batch was here, and one look serves all who wait.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use async_nats::{
    Message, StatusCode, Subscriber,
    jetstream::{
        self,
        consumer::{self, AckPolicy, DeliverPolicy, IntoConsumerConfig, pull},
    },
};
use bytes::Bytes;
use contracts::{Event, IngestItem, Millis, WindowId, WindowsHeld, stream};
use futures::StreamExt;
use kit::Shutdown;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    App,
    domain::{Binding, BindingKey, Bindings, MOST_HELD, Remembered},
};

/// How often there is a look without work: the consumer is kept, and what waits there is little.
const IDLE: Duration = Duration::from_secs(1);
/// After so long without a look the server lets the consumer go.
const KEPT: Duration = Duration::from_secs(15);
/// How long a batch waits for a look before it does without.
const PATIENCE: Duration = Duration::from_millis(100);
/// A look that has not ended after so long is lost, and maybe some event with it.
const LOST: Duration = Duration::from_secs(2);
/// The pause before the feed begins anew.
const PAUSE: Duration = Duration::from_millis(200);
/// The most events of one request.
const MOST: usize = 256;
/// The most parties that are read at once.
const MOST_READ: usize = 5_000;
/// How long an event that is stored may take to be seen by all consumers.
const SEEN: Duration = Duration::from_millis(20);
/// How often it is counted anew what is held, where that was too much.
const RECOUNT: Duration = Duration::from_secs(60);

/// A look that has ended.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    number: u64,
    /// Up to when everything is known; nothing while there is no feed.
    up_to: Option<Millis>,
}

/// What is remembered, and how far that is complete.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    remembered: Mutex<Remembered>,
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
                feed.memory.ended.send_modify(|look| look.up_to = None);
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

    /// Waits until everything is known that was published before this was asked. Gives a moment up
    /// to which that is so; nothing where it is not known in time.
    pub(crate) async fn complete(&self) -> Option<Millis> {
        let mut ended = self.ended.subscribe();
        ended.borrow_and_update().up_to?;
        let next = self.begun.load(Ordering::SeqCst) + 1;
        self.awaited.notify_one();
        let look = timeout(PATIENCE, ended.wait_for(|look| look.number >= next || look.up_to.is_none())).await;
        look.ok()?.ok()?.up_to
    }

    /// What is remembered of the parties to these windows.
    pub(crate) fn of(&self, items: &[IngestItem]) -> Bindings {
        self.remembered().of(items)
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
        if self.ended.borrow().up_to.is_none() {
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
        let mut feed = Feed::begin(app).await?;
        self.look(app, &mut feed).await?;
        let mut counted_at = Instant::now();
        self.count_held(app).await?;
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
        }
    }

    /// Reads what is held. No look is under way meanwhile, so nothing is heard between the read and
    /// what is kept of it; and who holds a window writes it down before telling.
    async fn count_held(&self, app: &App) -> anyhow::Result<()> {
        let held = app.store.quarantine.undecided(MOST_HELD + 1).await?;
        self.remembered().keep_held(held);
        Ok(())
    }

    async fn look(&self, app: &App, feed: &mut Feed) -> anyhow::Result<()> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        loop {
            let asked_at = app.clock.now();
            if feed.take_new(|message| self.hear(message)).await? {
                self.ended.send_replace(Look { number, up_to: Some(asked_at) });
                return Ok(());
            }
        }
    }

    fn hear(&self, message: &Message) {
        let (subject, payload) = (message.subject.as_str(), &message.payload);
        // What cannot be read does not reach the copy in the database either.
        match Binding::read(subject, payload) {
            Ok(Some(binding)) => self.remembered().hear(binding),
            Ok(None) => match serde_json::from_slice::<WindowsHeld>(payload) {
                Ok(held) => self.remembered().hear_held(&held.windows),
                Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
            },
            Err(error) => tracing::warn!(%error, subject, "an event that cannot be read"),
        }
    }
}

/// A consumer of our own: it delivers what is published from its beginning on, once, in order.
struct Feed {
    client: async_nats::Client,
    context: jetstream::Context,
    words: Subscriber,
    inbox: String,
    /// Where it is asked.
    next: String,
    request: Bytes,
    asked: u64,
    /// How many events it has delivered.
    place: u64,
}

impl Feed {
    async fn begin(app: &App) -> anyhow::Result<Self> {
        let (client, context) = (app.bus.client.clone(), app.bus.jetstream.clone());
        let inbox = client.new_inbox();
        let words = client.subscribe(format!("{inbox}.*")).await?;
        let config = pull::Config {
            description: Some("What one worker remembers".into()),
            deliver_policy: DeliverPolicy::New,
            ack_policy: AckPolicy::None,
            filter_subjects: Binding::subjects().into_iter().chain([WindowsHeld::filter()]).collect(),
            inactive_threshold: KEPT,
            memory_storage: true,
            num_replicas: 1,
            ..Default::default()
        };
        let create = serde_json::json!({ "stream_name": stream::EVENTS, "config": config.into_consumer_config() });
        // Without a name of ours: who may make named ones may change those of others.
        let made: jetstream::response::Response<consumer::Info> =
            context.request(format!("CONSUMER.CREATE.{}", stream::EVENTS), &create).await?;
        let name = match made {
            jetstream::response::Response::Ok(info) => info.name,
            jetstream::response::Response::Err { error } => bail!("no consumer: {error}"),
        };
        let next = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", stream::EVENTS);
        let request = serde_json::json!({ "batch": MOST, "no_wait": true }).to_string().into();
        Ok(Self { client, context, words, inbox, next, request, asked: 0, place: 0 })
    }

    /// Takes what is new; says whether that was all that was published when this was asked.
    async fn take_new(&mut self, mut hear: impl FnMut(&Message)) -> anyhow::Result<bool> {
        self.asked += 1;
        let reply = format!("{}.{}", self.inbox, self.asked);
        self.client.publish_with_reply(self.next.clone(), reply.clone(), self.request.clone()).await?;
        let until = Instant::now() + LOST;
        let mut taken = 0;
        while taken < MOST {
            let word = tokio::time::timeout_at(until, self.words.next()).await.context("a look was lost")?;
            let message = word.context("the connection is gone")?;
            match message.status {
                Some(_) if message.subject.as_str() != reply => {}
                Some(StatusCode::NOT_FOUND) => return Ok(true),
                // As many as there were; whether there are more the next request says.
                Some(StatusCode::TIMEOUT) => return Ok(false),
                Some(status) => bail!("the server says {status}"),
                None => {
                    let message = jetstream::Message { message, context: self.context.clone() };
                    let place = message.info().map_err(anyhow::Error::from_boxed)?.consumer_sequence;
                    ensure!(place == self.place + 1, "an event was missed");
                    self.place = place;
                    hear(&message.message);
                    taken += 1;
                }
            }
        }
        Ok(false)
    }
}
