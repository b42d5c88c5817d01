use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use async_nats::{
    header::NATS_MESSAGE_ID,
    jetstream::{self, ErrorCode, context::PublishError, publish::PublishAck},
};
use bytes::Bytes;
use contracts::{Code, ContentHash, Failure, INGEST_WINDOWS, IngestAnswer, Outcome, header};
use kit::{Bus, Shutdown};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tracing::{Instrument, field::Empty, info_span};

use super::{
    HAND_OVER, MOST_TOGETHER, Submitted, Until, WORD, Waiting,
    answers::{Answer, Answers},
    away,
    queue::Arrivals,
    too_much,
};
use crate::metrics::GatewayMetrics;

/// The most bytes of a message: NATS carries 1 MiB.
const MOST_BYTES: usize = 700_000;
/// How long to wait before a publish that failed is repeated.
const AGAIN: Duration = Duration::from_millis(100);

/// Takes all windows that are waiting, and puts them on the queue as one message.
pub(super) struct Publisher {
    bus: Bus,
    answers: Answers,
    arrivals: Arc<Mutex<Arrivals>>,
    metrics: GatewayMetrics,
}

impl Publisher {
    pub(super) fn new(bus: Bus, answers: Answers, arrivals: Arc<Mutex<Arrivals>>, metrics: GatewayMetrics) -> Self {
        Self { bus, answers, arrivals, metrics }
    }

    /// Hands over until every [`super::Ingest`] is gone: requests in hand are served first.
    pub(super) async fn run(&self, shutdown: &Shutdown) {
        let mut together = Vec::with_capacity(MOST_TOGETHER);
        while self.take(&mut together).await > 0 {
            for (message, waiting) in encode(together.drain(..)) {
                self.hand_over(message, waiting, shutdown).await;
            }
        }
    }

    /// All that is waiting, at least one; nothing once nobody is left to send.
    async fn take(&self, together: &mut Vec<Waiting>) -> usize {
        let mut arrivals = self.arrivals.lock().await;
        let taken = arrivals.take(together, MOST_TOGETHER).await;
        if taken > 0 {
            kit::yield_to_coalesce().await;
        }
        taken + arrivals.take_ready(together, MOST_TOGETHER)
    }

    /// Publishes one message until the stream has it, then leaves the waiting to a task.
    async fn hand_over(&self, message: Bytes, waiting: Vec<Waiting>, shutdown: &Shutdown) {
        let since = waiting.iter().map(|w| w.since).min().unwrap_or_else(Instant::now);
        let (answer, started) = (self.answers.expect(), Instant::now());
        let span = info_span!("publish", windows = waiting.len(), trace_id = Empty);
        kit::follow(&span, waiting.iter().filter_map(|w| w.item.traceparent.as_deref()));
        let published = self.publish(message, &answer.subject, since + HAND_OVER).instrument(span).await;
        self.metrics.together.observe(waiting.len() as f64);
        self.metrics.published.observe(started.elapsed().as_secs_f64());
        match published {
            Ok(ack) => drop(shutdown.spawn(tell(answer, ack.sequence, since + WORD, waiting))),
            Err(failure) => waiting.into_iter().for_each(|w| drop(w.answer.send(Err(failure.clone())))),
        }
    }

    /// A timeout means unknown: the same message goes again under the same id.
    async fn publish(&self, message: Bytes, answer_to: &str, deadline: Instant) -> Result<PublishAck, Failure> {
        let id: ContentHash = kit::new_id();
        let mut headers = self.bus.headers();
        headers.insert(NATS_MESSAGE_ID, id.to_string());
        headers.insert(header::ANSWER_TO, answer_to);
        loop {
            let attempt = async {
                let sent = self.bus.jetstream.publish_with_headers(INGEST_WINDOWS, headers.clone(), message.clone());
                sent.await?.await
            };
            let failure = match timeout_at(deadline, attempt).await {
                Ok(Ok(ack)) => return Ok(ack),
                Ok(Err(error)) if is_full(&error) => too_much(),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the queue did not take windows");
                    away()
                }
                Err(_) => away(),
            };
            if Instant::now() + AGAIN >= deadline {
                tracing::warn!(code = ?failure.code, "windows were not taken");
                return Err(failure);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Tells those for whom safe is enough that it is; waits for a worker's word, and tells the others
/// what it is, or that there is none yet.
async fn tell(mut answer: Answer, seq: u64, deadline: Instant, waiting: Vec<Waiting>) {
    // A client that hung up does not wait; what it is told is dropped.
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
    let word = timeout_at(deadline, &mut answer.word).await;
    let (items, set_aside) = match word {
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

/// Writes windows as [`contracts::IngestBatch`]es, as few as the size of a message allows.
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

/// Whether the stream refuses the new: it is full.
fn is_full(error: &PublishError) -> bool {
    let server = error.source().and_then(|cause| cause.downcast_ref::<jetstream::Error>());
    server.is_some_and(|error| error.error_code() == ErrorCode::STREAM_STORE_FAILED)
}
