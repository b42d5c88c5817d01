use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{
    HeaderMap,
    header::NATS_MESSAGE_ID,
    jetstream::context::{PublishError, PublishErrorKind},
};
use bson::doc;
use contracts::{Action, Actor, AuditSubject, Audited, Code, Event, EventId, Failure, Service, header};
use futures::{TryStreamExt, future::join_all};
use mongodb::{ClientSession, Collection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    Bus, Clock, Error, Origin, Shutdown,
    bus::one_line,
    endpoints::ChainLine,
    ids, metrics,
    metrics::{Gauge, Seconds},
    mongo, new_id, trace,
};

/// The most events that are published before their acknowledgements are awaited.
const AT_ONCE: i64 = 256;
/// How long the relay waits to be woken before it searches for unpublished rows again. This search
/// also finds the rows of a replica that died before it published them.
const SWEEP: Duration = Duration::from_secs(1);
/// The pause between two checks whether events are published.
const POLL: Duration = Duration::from_millis(5);
/// The most rows that the metric of waiting events counts.
const MOST_COUNTED: u64 = 10_000;
/// The most bytes of an event's payload. The limit of NATS is 1 MiB with headers, and DEAD adds
/// more headers.
const MOST_BYTES: usize = 1_000_000;
/// For how long, at most, a row that NATS has refused for its size is not published again.
const ASIDE: Duration = Duration::from_secs(60);

/// A committed event that the stream does not have yet. The row is deleted once the stream has the
/// event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(rename = "_id")]
    id: EventId,
    subject: String,
    payload: String,
    headers: BTreeMap<String, String>,
}

impl Row {
    fn new<E: Event>(id: EventId, event: &E, applied_to: Option<&str>, by: Service) -> Result<Self, Error> {
        let mut headers = trace::trace_headers();
        if let Some(inbox) = applied_to {
            headers.insert(header::APPLIED_TO.to_owned(), inbox.to_owned());
        }
        let origin = Origin::current().or_actor(Some(Actor::Service(by)));
        headers.extend(origin.headers().map(|(name, value)| (name.to_owned(), value)));
        let (subject, payload) = (event.subject(), serde_json::to_string(event)?);
        if payload.len() > MOST_BYTES {
            tracing::error!(subject, bytes = payload.len(), "an event that is too long for NATS");
            return Err(Failure::new(Code::Invalid, "This changes too much at once: change less at a time.").into());
        }
        Ok(Self { id, subject, payload, headers })
    }

    pub(crate) fn id(&self) -> EventId {
        self.id
    }
}

/// The transactional outbox: an event is written in the same transaction as the change that it
/// reports, and published after the commit. So a change and its event exist together or not at all.
#[derive(Debug)]
pub(crate) struct Outbox {
    rows: Collection<Row>,
    bus: Bus,
    kick: Notify,
    waiting: Gauge,
    oldest_age: Seconds,
}

impl Outbox {
    pub(crate) fn new(rows: Collection<Row>, bus: Bus) -> Self {
        let metrics = bus.metrics();
        let waiting = metrics.gauge("t3_outbox_events", "Events that are committed, and not in the stream yet");
        let oldest_age = metrics.seconds("t3_outbox_oldest_age_seconds", "How long the oldest of them has waited");
        Self { rows, bus, kick: Notify::new(), waiting, oldest_age }
    }

    /// Updates the metrics of the outbox until shutdown.
    pub(crate) fn watch(&self, shutdown: &Shutdown) {
        let (rows, waiting, oldest_age) = (self.rows.clone(), self.waiting.clone(), self.oldest_age.clone());
        metrics::sample(shutdown, move || {
            let (rows, waiting, oldest_age) = (rows.clone(), waiting.clone(), oldest_age.clone());
            async move {
                waiting.set(rows.count_documents(doc! {}).limit(MOST_COUNTED).await? as i64);
                let first = rows.find_one(doc! {}).sort(doc! { "_id": 1 }).await?;
                let made_at = first.and_then(|row| ids::made_at(row.id.0));
                oldest_age.set(made_at.map_or(0.0, |at| metrics::seconds(Clock::system().now() - at)));
                anyhow::Ok(())
            }
        });
    }

    /// Makes the row of an event. The headers of the event carry the origin of the current task.
    pub(crate) fn row<E: Event>(&self, event: &E, applied_to: Option<&str>) -> Result<Row, Error> {
        Row::new(new_id(), event, applied_to, self.bus.service())
    }

    /// Makes the row of an entry of the audit trail. The headers of the entry carry the origin of
    /// the current task.
    pub(crate) fn entry(&self, action: Action, subject: AuditSubject, changes: Option<Value>) -> Result<Row, Error> {
        let audited = Audited { changes, ..self.bus.audited(action, subject) };
        Row::new(audited.id, &audited, None, self.bus.service())
    }

    /// Inserts a row outside of a transaction, and wakes the relay.
    pub(crate) async fn add_alone(&self, row: &Row) -> Result<(), Error> {
        self.rows.insert_one(row).await?;
        self.kick();
        Ok(())
    }

    pub(crate) async fn add(&self, session: &mut ClientSession, rows: &[Row]) -> Result<(), Error> {
        // The driver refuses an empty insert.
        if !rows.is_empty() {
            self.rows.insert_many(rows).session(session).await?;
        }
        Ok(())
    }

    /// Wakes the relay, so that it publishes at once.
    pub(crate) fn kick(&self) {
        self.kick.notify_one();
    }

    /// Waits, at most `within`, until the stream has these events. Returns whether the stream has
    /// them.
    pub(crate) async fn until_published(&self, events: &[EventId], within: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + within;
        let these = doc! { "_id": mongo::one_of(events.iter().copied()) };
        while !matches!(self.rows.find_one(these.clone()).await, Ok(None)) {
            if tokio::time::Instant::now() >= deadline {
                return false;
            }
            self.kick();
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// The ids of the committed events that are not published yet.
    pub(crate) async fn waiting(&self) -> Result<Vec<EventId>, Error> {
        #[derive(Deserialize)]
        struct Waiting {
            #[serde(rename = "_id")]
            id: EventId,
        }
        let rows = self.rows.clone_with_type::<Waiting>().find(doc! {}).projection(doc! { "_id": 1 }).await?;
        Ok(rows.map_ok(|row| row.id).try_collect().await?)
    }

    /// Publishes rows until shutdown. Several replicas may do this at the same time: the stream
    /// drops the second copy of an event, because it has the same id.
    pub(crate) async fn relay(&self, shutdown: &Shutdown) {
        let (mut pause, mut aside) = (Duration::ZERO, Aside::default());
        while !shutdown.is_stopping() {
            match self.publish_waiting(&mut aside).await {
                Ok(0) => {
                    pause = Duration::ZERO;
                    tokio::select! {
                        () = self.kick.notified() => {}
                        () = tokio::time::sleep(SWEEP) => {}
                        () = shutdown.stopping() => {}
                    }
                }
                Ok(_) => pause = Duration::ZERO,
                Err(error) => {
                    pause = (pause * 2).clamp(Duration::from_millis(100), Duration::from_secs(5));
                    tracing::warn!(error = %error.chain_line(), "events wait in the outbox");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = shutdown.stopping() => {}
                    }
                }
            }
        }
        // Publishes rows that were committed while the loop ended.
        if let Err(error) = self.publish_waiting(&mut aside).await {
            tracing::warn!(error = %error.chain_line(), "events wait in the outbox for the next start");
        }
    }

    /// Publishes the waiting rows, except those that are set aside. Returns how many rows it has
    /// published or set aside, or an error if there was a failure and it has published none. The
    /// query must not select only ids above the last one: transactions do not commit in the order
    /// of their ids, so a row with a smaller id can appear later.
    async fn publish_waiting(&self, aside: &mut Aside) -> anyhow::Result<usize> {
        static LAST: Mutex<EventId> = Mutex::new(EventId(uuid::Uuid::nil()));
        let last = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let unpublished = match crate::is_mutant("outbox_by_greater_id") {
            true => doc! { "_id": { "$gt": mongo::value(&*last()) } },
            false if aside.is_empty() => doc! {},
            false => doc! { "_id": { "$not": mongo::one_of(aside.ids()) } },
        };
        let waiting: Vec<Row> = self.rows.find(unpublished).limit(AT_ONCE).await?.try_collect().await?;
        let Some(newest) = waiting.last() else { return Ok(0) };
        *last() = newest.id;
        let (mut sent, mut refused, mut failed) = (Vec::new(), 0, None);
        for (row, outcome) in waiting.iter().zip(self.publish(&waiting).await) {
            match outcome {
                Ok(()) => sent.push(row.id),
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    tracing::error!(event = %row.id, subject = row.subject, %error, "an event that nobody can be told");
                    aside.add(row.id);
                    refused += 1;
                }
                Err(error) => failed = Some(error),
            }
        }
        crate::failpoint("after_publish");
        // Deletes the rows that the stream has acknowledged, even if others have failed. Otherwise
        // these rows would be published again together with the failed ones, and the stream would
        // store them twice once its duplicate window is over.
        if !sent.is_empty() {
            self.rows.delete_many(doc! { "_id": mongo::one_of(&sent) }).await?;
        }
        match failed {
            Some(error) if sent.is_empty() => Err(anyhow::Error::from(error).context("the stream did not acknowledge")),
            _ => Ok(sent.len() + refused),
        }
    }

    /// Publishes rows, waits for the acknowledgements, and returns the result of each row.
    pub(crate) async fn publish(&self, waiting: &[Row]) -> Vec<Result<(), PublishError>> {
        let mut acks = Vec::with_capacity(waiting.len());
        for row in waiting {
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, row.id.to_string());
            for (name, value) in &row.headers {
                headers.insert(name.as_str(), one_line(value));
            }
            let payload = row.payload.clone().into();
            acks.push(self.bus.jetstream.publish_with_headers(row.subject.clone(), headers, payload).await);
        }
        join_all(acks.into_iter().map(async |sent| sent?.await.map(drop))).await
    }
}

/// The rows that NATS has refused for their size. They are not published for a while, so that they
/// do not hold up other rows.
#[derive(Debug, Default)]
struct Aside(BTreeSet<EventId>, Option<Instant>);

impl Aside {
    fn add(&mut self, id: EventId) {
        self.0.insert(id);
        self.1.get_or_insert_with(Instant::now);
    }

    fn is_empty(&mut self) -> bool {
        if self.1.is_some_and(|since| since.elapsed() > ASIDE) {
            *self = Self::default();
        }
        self.0.is_empty()
    }

    fn ids(&self) -> impl Iterator<Item = EventId> {
        self.0.iter().copied()
    }
}
