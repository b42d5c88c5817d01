use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use async_nats::{
    header::NATS_MESSAGE_ID,
    jetstream::{self, ErrorCode, context::PublishError, publish::PublishAck},
};
use bytes::Bytes;
use contracts::{Code, ContentHash, Failure, INGEST_BATCHES, INGEST_WINDOWS, IngestAnswer, Outcome, header};
use kit::{Bus, Recently, Shutdown};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tracing::{Instrument, field::Empty, info_span};

use super::{
    ANSWER_PATIENCE, MOST_BESIDE_SINGLES, MOST_COALESCED, PUBLISH_PATIENCE, Submitted, Until, Waiting,
    answers::{Answer, Answers},
    metrics::IngestMetrics,
    queue::{Arrivals, Sent},
    too_much, unavailable,
};

/// The largest size of a message in bytes. NATS accepts messages up to 1 MiB.
const MOST_BYTES: usize = 700_000;
/// The pause before a failed publish is repeated.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Publishes the waiting windows as messages, until no request can add more.
pub(super) struct Publisher {
    pub(super) bus: Bus,
    pub(super) answers: Answers,
    pub(super) sent: Sent,
    /// Whether single posts are in progress, or were until a moment ago.
    pub(super) singles_come: Arc<Recently>,
    pub(super) arrivals: Arc<Mutex<Arrivals>>,
    pub(super) metrics: IngestMetrics,
}

impl Publisher {
    /// Publishes until the last [`super::Ingest`] is dropped. A shutdown alone does not end it, so
    /// that open requests are still answered.
    pub(super) async fn run(&self, shutdown: &Shutdown) {
        let mut batch = Vec::with_capacity(MOST_COALESCED);
        while self.take(&mut batch).await > 0 {
            for (message, waiting) in encode(batch.drain(..)) {
                self.publish_and_answer(message, waiting, shutdown).await;
            }
        }
    }

    /// Takes the waiting windows, and waits until there is at least one. Returns 0 once no request
    /// can add a window.
    async fn take(&self, batch: &mut Vec<Waiting>) -> usize {
        let mut arrivals = self.arrivals.lock().await;
        // This may wait for long, and single posts may come meanwhile. So the small limit applies first.
        let taken = arrivals.take(batch, MOST_BESIDE_SINGLES).await;
        if taken > 0 {
            kit::yield_to_coalesce().await;
        }
        taken + arrivals.take_ready(batch, self.sent.most_in_message(self.singles_come.is_true()))
    }

    /// Publishes a message, and starts a task that waits for the worker's answer.
    async fn publish_and_answer(&self, message: Bytes, waiting: Vec<Waiting>, shutdown: &Shutdown) {
        let since = waiting.iter().map(|w| w.since).min().unwrap_or_else(Instant::now);
        let (answer, started) = (self.answers.expect(), Instant::now());
        let span = info_span!("publish", windows = waiting.len(), trace_id = Empty);
        kit::follow(&span, waiting.iter().filter_map(|w| w.item.traceparent.as_deref()));
        let published = self.publish(message, &answer.subject, since + PUBLISH_PATIENCE).instrument(span).await;
        self.metrics.batch_sizes.observe(waiting.len() as f64);
        self.metrics.published.observe(started.elapsed().as_secs_f64());
        kit::failpoint("published");
        match published {
            Ok(ack) => drop(shutdown.spawn(answer_all(answer, ack.sequence, since + ANSWER_PATIENCE, waiting))),
            Err(failure) => waiting.into_iter().for_each(|w| drop(w.answer.send(Err(failure.clone())))),
        }
    }

    /// Publishes a message until the stream acknowledges it or the deadline comes. Every attempt
    /// has the same message id, so the stream stores the message only once.
    async fn publish(&self, message: Bytes, answer_to: &str, deadline: Instant) -> Result<PublishAck, Failure> {
        let id: ContentHash = kit::new_id();
        let mut headers = self.bus.headers();
        headers.insert(NATS_MESSAGE_ID, id.to_string());
        headers.insert(header::ANSWER_TO, answer_to);
        let subject = match self.sent {
            Sent::Singly => INGEST_WINDOWS,
            Sent::InBatches => INGEST_BATCHES,
        };
        loop {
            let attempt = async {
                let sent = self.bus.jetstream.publish_with_headers(subject, headers.clone(), message.clone());
                sent.await?.await
            };
            let failure = match timeout_at(deadline, attempt).await {
                Ok(Ok(ack)) => return Ok(ack),
                Ok(Err(error)) if is_full(&error) => too_much(),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the queue did not take windows");
                    unavailable()
                }
                Err(_) => unavailable(),
            };
            if Instant::now() + RETRY_AFTER >= deadline {
                tracing::warn!(code = ?failure.code, "windows were not taken");
                return Err(failure);
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}

/// Answers the requests that wait only for the acknowledgement. Then waits for the worker, and
/// answers the other requests with the worker's outcomes, or with "queued" if the worker does not
/// answer in time.
async fn answer_all(mut answer: Answer, seq: u64, deadline: Instant, waiting: Vec<Waiting>) {
    // Sending fails when the client has closed the connection.
    let tell = |waiting: Waiting, outcome, aside| drop(waiting.answer.send(Ok(Submitted { seq, outcome, aside })));
    let mut others = Vec::with_capacity(waiting.len());
    for (place, waiting) in waiting.into_iter().enumerate() {
        match waiting.until {
            Until::Safe => tell(waiting, Outcome::Queued, None),
            Until::Settled => others.push((place, waiting)),
        }
    }
    if others.is_empty() {
        return;
    }
    let received = timeout_at(deadline, &mut answer.receiver).await;
    let (items, set_aside) = match received {
        Ok(Ok(IngestAnswer { items, set_aside })) => (items, set_aside),
        _ => Default::default(),
    };
    let mut outcomes: Vec<_> = items.into_iter().map(Some).collect();
    let mut asides: HashMap<_, _> =
        set_aside.into_iter().map(|aside| (aside.item, Failure::new(aside.code, aside.detail))).collect();
    for (place, waiting) in others {
        let outcome = outcomes.get_mut(place).and_then(Option::take);
        tell(waiting, outcome.unwrap_or(Outcome::Queued), asides.remove(&place));
    }
}

/// Serializes windows as [`contracts::IngestBatch`]es, in as few messages as the size limit allows.
fn encode(windows: impl Iterator<Item = Waiting>) -> Vec<(Bytes, Vec<Waiting>)> {
    const OPEN: &[u8] = br#"{"items":["#;
    let mut messages = Vec::new();
    let (mut text, mut waiting) = (OPEN.to_vec(), Vec::new());
    let mut close = |text: &mut Vec<u8>, waiting: &mut Vec<Waiting>| {
        let mut text = std::mem::replace(text, OPEN.to_vec());
        text.extend_from_slice(b"]}");
        messages.push((Bytes::from(text), std::mem::take(waiting)));
    };
    for window in windows {
        let json = match serde_json::to_vec(&window.item) {
            Ok(json) => json,
            Err(error) => {
                tracing::error!(%error, "a window that cannot be written");
                let _ = window.answer.send(Err(Failure::new(Code::Internal, "Something went wrong on our side.")));
                continue;
            }
        };
        if !waiting.is_empty() && text.len() + json.len() > MOST_BYTES {
            close(&mut text, &mut waiting);
        }
        if !waiting.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(&json);
        waiting.push(window);
    }
    if !waiting.is_empty() {
        close(&mut text, &mut waiting);
    }
    messages
}

/// Whether the stream refused a message because it is full.
fn is_full(error: &PublishError) -> bool {
    let server = error.source().and_then(|cause| cause.downcast_ref::<jetstream::Error>());
    server.is_some_and(|error| error.error_code() == ErrorCode::STREAM_STORE_FAILED)
}
