use std::{any::Any, collections::HashSet, time::Duration};

use async_nats::Subscriber;
use contracts::{Action, Applied, AuditSubject, Awaited, Event, EventId, Service};
use futures::StreamExt;
use mongodb::{ClientSession, error::UNKNOWN_TRANSACTION_COMMIT_RESULT};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    Database, Error,
    outbox::{Outbox, Row},
};

/// How long an answer waits until the stream has the events of a change, if the copies have not
/// reported in time.
const OUTBOX_PATIENCE: Duration = Duration::from_secs(2);
/// For how long a transaction that conflicts with others is repeated.
const CONTENTION: Duration = Duration::from_secs(4);

/// Runs a block as one MongoDB transaction, and repeats the block after a conflict. After the
/// commit it waits, up to the limit of [`Database::awaited`](crate::Database::awaited), until the
/// other services have applied the events to their copies, so that the caller can read its own
/// writes there.
///
/// The block may run several times, so it must have no effect outside of the transaction. The macro
/// returns a `Result<T, kit::Error>`. After an error of the block nothing is written. After an
/// error of the commit the result may be unknown: either the change and its events are written, or
/// nothing.
///
/// ```text
/// let project = kit::change!(app.db.awaited(WAIT), tx => {
///     app.store.insert(tx, &project).await?;
///     tx.emit(&event).await?;
///     Ok(project)
/// })?;
/// ```
// A macro, because a function that takes an async closure cannot yet be awaited in a task
// (rust-lang/rust#102211: "implementation of `Send` is not general enough").
#[macro_export]
macro_rules! change {
    ($change:expr, $tx:ident => $body:block) => {
        $crate::__transact!($change, $tx => $body).map(|(done, _)| done)
    };
}

/// As [`change!`], for a change that an event causes: `$change` is `db.following(&delivery)`. The
/// block returns `Ok(())`. The macro returns the awaited events that were emitted, for the report
/// about the causing event.
#[macro_export]
macro_rules! follow {
    ($change:expr, $tx:ident => $body:block) => {
        $crate::__transact!($change, $tx => $body).map(|((), caused)| caused)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __transact {
    ($change:expr, $tx:ident => $body:block) => {{
        let mut change: $crate::Change<'_> = $change;
        loop {
            let outcome: Result<_, $crate::Error> = match change.attempt().await {
                Ok($tx) => async { $body }.await,
                Err(error) => Err(error),
            };
            if let Some(done) = change.settle(outcome).await {
                break done;
            }
        }
    }};
}

/// A MongoDB transaction with the events that are committed in it.
#[derive(Debug)]
pub struct Tx<'a> {
    /// The session, for the driver's `.session(&mut tx.session)`.
    pub session: ClientSession,
    outbox: &'a Outbox,
    /// The rows that are inserted into the outbox just before the commit, with one insert.
    rows: Vec<Row>,
    applied_to: Option<String>,
    emitted: Vec<Awaited>,
    kept: Vec<Box<dyn Any + Send + Sync>>,
    /// Whether the change emits events.
    emits: bool,
    /// Whether the change has an entry in the audit trail.
    is_audited: bool,
}

impl Tx<'_> {
    /// Keeps a value, such as a permit of a semaphore, until the transaction has ended.
    pub fn keep(&mut self, guard: impl Any + Send + Sync) {
        self.kept.push(Box::new(guard));
    }

    /// Adds an event to this transaction, which writes it to the outbox at the commit.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, or is too long for NATS.
    pub async fn emit<E: Event>(&mut self, event: &E) -> Result<(), Error> {
        self.emit_all(std::slice::from_ref(event)).await
    }

    /// Adds events to this transaction, which writes them to the outbox at the commit.
    ///
    /// # Errors
    /// As [`Tx::emit`].
    pub async fn emit_all<E: Event>(&mut self, events: &[E]) -> Result<(), Error> {
        let inbox = self.applied_to.as_deref().filter(|_| !E::AWAITED.is_empty());
        let rows = events.iter().map(|event| self.outbox.row(event, inbox)).collect::<Result<Vec<_>, _>>()?;
        self.emits |= !rows.is_empty();
        if !E::AWAITED.is_empty() {
            self.emitted.extend(rows.iter().map(|row| Awaited { event: row.id(), by: E::AWAITED.to_vec() }));
        }
        match crate::is_mutant("events_before_commit") {
            true => {
                let sent: Result<(), _> = self.outbox.publish(&rows).await.into_iter().collect();
                sent.map_err(|error| Error::Nats(error.into()))?;
            }
            false => self.rows.extend(rows),
        }
        Ok(())
    }

    /// Adds an entry of the audit trail to this transaction. The actor and the cause of the entry
    /// are those of the current task. Every change that emits events needs an entry.
    ///
    /// # Errors
    /// When the entry cannot be written as JSON, or is too long for NATS.
    pub async fn audit(
        &mut self,
        action: Action,
        subject: AuditSubject,
        changes: impl Into<Option<Value>>,
    ) -> Result<(), Error> {
        let entry = self.outbox.entry(action, subject, changes.into())?;
        self.is_audited = true;
        self.rows.push(entry);
        Ok(())
    }

    /// Marks a change that needs no entry of its own in the audit trail, because it is part of a
    /// change that has an entry.
    pub fn is_audited_elsewhere(&mut self) {
        self.is_audited = true;
    }

    /// Checks that a change with events has an entry in the audit trail. Without an entry, it logs
    /// an error and, in debug builds (and so in tests), fails.
    fn check_audited(&self) -> Result<(), Error> {
        if self.emits && !self.is_audited {
            tracing::error!("a change is told to others and not to the audit trail: call `Tx::audit`");
            if cfg!(debug_assertions) {
                return Err(anyhow::anyhow!("a change without an entry in the audit trail").into());
            }
        }
        Ok(())
    }

    /// Inserts the rows into the outbox, and commits. While the result of the commit is unknown,
    /// the commit is repeated up to three times, which is harmless.
    async fn commit(&mut self) -> Result<(), Error> {
        self.outbox.add(&mut self.session, &std::mem::take(&mut self.rows)).await?;
        let mut tries = 0;
        while let Err(error) = self.session.commit_transaction().await {
            if tries == 3 || !error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
                return Err(error.into());
            }
            tries += 1;
        }
        Ok(())
    }
}

/// A transaction and its repetitions, as [`change!`] and [`follow!`] run them.
#[derive(Debug)]
pub struct Change<'a> {
    db: &'a Database,
    applied_to: Option<String>,
    within: Option<Duration>,
    reports: Option<Subscriber>,
    tx: Option<Tx<'a>>,
    started: Instant,
    pause: Duration,
}

impl<'a> Change<'a> {
    pub(crate) fn new(db: &'a Database, applied_to: Option<String>, within: Option<Duration>) -> Self {
        let (started, pause) = (Instant::now(), Duration::from_millis(2));
        Self { db, applied_to, within, reports: None, tx: None, started, pause }
    }

    /// Begins a transaction: the first one, or the next one after a conflict.
    ///
    /// # Errors
    /// Those of MongoDB.
    pub async fn attempt(&mut self) -> Result<&mut Tx<'a>, Error> {
        if let (Some(inbox), Some(_), None) = (&self.applied_to, self.within, &self.reports) {
            let reports = self.db.bus.client.subscribe(inbox.clone()).await;
            self.reports = Some(reports.map_err(|e| Error::Nats(e.into()))?);
        }
        let mut session = self.db.mongo.client().start_session().await?;
        session.start_transaction().await?;
        let (applied_to, emitted, kept) = (self.applied_to.clone(), Vec::new(), Vec::new());
        let (emits, is_audited) = (false, false);
        let (outbox, rows) = (&self.db.outbox, Vec::new());
        let tx = Tx { session, outbox, rows, applied_to, emitted, kept, emits, is_audited };
        Ok(self.tx.insert(tx))
    }

    /// Commits after a success, and then waits for the copies as [`change!`] says. Aborts after an
    /// error. Gives `None` when the block of the transaction must run again, after a conflict.
    pub async fn settle<T>(&mut self, outcome: Result<T, Error>) -> Option<Result<(T, Vec<Awaited>), Error>> {
        let outcome = outcome.and_then(|done| self.tx.as_ref().map_or(Ok(()), Tx::check_audited).map(|()| done));
        let outcome = match (outcome, &mut self.tx) {
            (Ok(done), Some(tx)) => {
                crate::failpoint("before_commit");
                let committed = tx.commit().await.map(|()| done);
                crate::failpoint("after_commit");
                committed
            }
            (outcome, _) => outcome,
        };
        if let (Err(_), Some(tx)) = (&outcome, &mut self.tx) {
            // An error is ignored: MongoDB aborts the transaction itself after its time limit.
            let _ = tx.session.abort_transaction().await;
        }
        let emitted = self.tx.take().map(|tx| tx.emitted).unwrap_or_default();
        match outcome {
            Ok(done) => {
                self.db.outbox.kick();
                if let (Some(reports), Some(within)) = (&mut self.reports, self.within) {
                    // If the copies are late, the stream must have these events before the caller
                    // gets the answer. A service can detect that its copy lacks these events only
                    // if the stream has them.
                    if !wait_applied(reports, emitted.clone(), within).await {
                        let events = emitted.iter().map(|awaited| awaited.event).collect::<Vec<_>>();
                        if !self.db.outbox.until_published(&events, OUTBOX_PATIENCE).await {
                            tracing::warn!(
                                events = events.len(),
                                "a change is answered before the stream has its events"
                            );
                        }
                    }
                }
                Some(Ok((done, emitted)))
            }
            Err(error) if error.is_transient() && self.started.elapsed() < CONTENTION => {
                tracing::debug!(%error, "a transaction runs again");
                let jitter = 0.5 + f64::from(crate::random_bytes::<1>()[0]) / 255.0;
                tokio::time::sleep(self.pause.mul_f64(jitter)).await;
                self.pause = (self.pause * 2).min(Duration::from_millis(100));
                None
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Waits until the awaited services have reported that they have applied these events and the
/// awaited events that these caused. Returns false at the time limit: then the copies are late, not
/// wrong.
async fn wait_applied(reports: &mut Subscriber, emitted: Vec<Awaited>, within: Duration) -> bool {
    let mut waiting: HashSet<(EventId, Service)> = pairs(emitted).collect();
    // The report about an event can arrive before the report that names the event as caused.
    let mut reported: HashSet<(EventId, Service)> = HashSet::new();
    let deadline = Instant::now() + within;
    while !waiting.is_empty() {
        let Ok(Some(message)) = tokio::time::timeout_at(deadline, reports.next()).await else {
            tracing::info!(missing = waiting.len(), "some copies are not up to date yet");
            return false;
        };
        let Ok(applied) = serde_json::from_slice::<Applied>(&message.payload) else { continue };
        let report = (applied.event, applied.by);
        reported.insert(report);
        waiting.remove(&report);
        waiting.extend(pairs(applied.caused).filter(|pair| !reported.contains(pair)));
    }
    true
}

fn pairs(awaited: Vec<Awaited>) -> impl Iterator<Item = (EventId, Service)> {
    awaited.into_iter().flat_map(|a| a.by.into_iter().map(move |by| (a.event, by)))
}
