use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, Message};
use contracts::{IngestAnswer, IngestBatch, Service, SetAside, header, stream};
use kit::{Error, InHand, Kind, Pull, Puller, Shutdown, bury};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tracing::{Instrument, Span, field::Empty, info_span};

use super::recorder::{Arrival, Settled, record_all};
use crate::{App, Step};

/// The most messages of single posts that are recorded together.
const MOST_MESSAGES: usize = 64;
/// The most messages of clients' batches that are recorded together.
const MOST_BATCHED: usize = 8;
/// The most windows that are recorded together.
const MOST_WINDOWS: usize = 1_000;
/// The number of concurrent batches: while one waits for the journal, another is checked.
const IN_HAND: usize = 4;
/// The number of these that may be of clients' batches: the others are free for single posts.
const BATCHED_IN_HAND: usize = 2;
/// After so many times that single posts were taken, it is the turn of clients' batches.
const SINGLES_IN_A_ROW: usize = 4;
/// Messages of single posts; older gateways mark none.
const SINGLES: Kind = Kind { is: |message| !is_batched(message), most: MOST_MESSAGES };
/// Messages of clients' batches.
const BATCHED: Kind = Kind { is: is_batched, most: MOST_BATCHED };
/// How long pulling pauses when MongoDB or NATS cannot be reached.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes windows from the queue INGEST, like all other replicas, and records them.
#[derive(Debug)]
pub(crate) struct Ingest {
    app: Arc<App>,
}

/// Messages whose windows are recorded together.
#[derive(Default)]
struct Batch {
    /// The messages, each with the number of its windows.
    messages: Vec<(Message, usize)>,
    windows: Vec<Arrival>,
}

impl Ingest {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// The durable consumer that this needs.
    pub(crate) fn pull() -> Pull {
        Pull {
            stream: stream::INGEST,
            durable: Service::Timetrack.name(),
            filters: Vec::new(),
            max_ack_pending: 10_000,
            prefetch: 2 * MOST_MESSAGES,
        }
    }

    /// Consumes until shutdown, and returns after it.
    pub(crate) async fn consume(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let mut puller = Puller::new(self.app.bus.clone(), Self::pull());
        puller.open().await?;
        puller.watch(shutdown);
        let stop = shutdown.clone();
        let in_hand = Arc::new(Semaphore::new(IN_HAND));
        self.app.bus.metrics().places("batches", in_hand.clone());
        let batched_in_hand = Arc::new(Semaphore::new(BATCHED_IN_HAND));
        shutdown.spawn(async move {
            let mut in_a_row = 0;
            // Reserves a place before it pulls, so that other replicas can take what this one cannot work on.
            while let Ok(place) = in_hand.clone().acquire_owned().await {
                let taken = next(&mut puller, &batched_in_hand, in_a_row >= SINGLES_IN_A_ROW, &stop).await;
                let Some((messages, batched)) = taken else { break };
                in_a_row = if batched.is_some() { 0 } else { in_a_row + 1 };
                let app = self.app.clone();
                stop.spawn(async move {
                    let span = info_span!("record", messages = messages.len(), windows = Empty, trace_id = Empty);
                    kit::continue_traces(&span, messages.iter().map(|message| message.headers.as_ref()));
                    record_messages(&app, messages).instrument(span).await;
                    drop((place, batched));
                });
            }
            puller.give_back().await;
        });
        Ok(())
    }
}

fn is_batched(message: &Message) -> bool {
    message.headers.as_ref().is_some_and(|headers| headers.get(header::BATCHED).is_some())
}

/// Waits for messages of single posts, and while there is a place for them, of clients' batches; those come with their
/// place, and are first if it is their turn. Nothing after the stop signal.
async fn next(
    puller: &mut Puller,
    batched_in_hand: &Arc<Semaphore>,
    batched_first: bool,
    stop: &Shutdown,
) -> Option<(Vec<Message>, Option<OwnedSemaphorePermit>)> {
    let place = batched_in_hand.clone();
    let place = match place.clone().try_acquire_owned() {
        Ok(place) => place,
        Err(_) => tokio::select! {
            biased;
            singles = puller.next_of(&[SINGLES], stop) => return Some((singles?, None)),
            place = place.acquire_owned() => place.ok()?,
        },
    };
    let kinds = if batched_first { [BATCHED, SINGLES] } else { [SINGLES, BATCHED] };
    let messages = puller.next_of(&kinds, stop).await?;
    let are_batched = messages.first().is_some_and(is_batched);
    Some((messages, are_batched.then_some(place)))
}

async fn record_messages(app: &Arc<App>, messages: Vec<Message>) {
    let in_hand = InHand::hold(&app.bus, &messages);
    let mut together = Batch::default();
    for message in messages {
        let batch = match serde_json::from_slice::<IngestBatch>(&message.payload) {
            Ok(batch) => batch,
            Err(error) => {
                // The error may quote the text, so only its position is logged.
                let reason = format!("cannot be read at column {}", error.column());
                settle(bury(&app.bus, &message, &reason).await);
                continue;
            }
        };
        if together.windows.len() + batch.items.len() > MOST_WINDOWS && !together.messages.is_empty() {
            record_together(app, std::mem::take(&mut together), &in_hand).await;
        }
        if kit::is_mutant("ack_before_commit") {
            settle(message.ack().await.map_err(Error::Nats));
        }
        let info = message.info().ok();
        let brief = is_batched(&message);
        let (seq, again) = (info.as_ref().map(|info| info.stream_sequence), info.is_none_or(|info| info.delivered > 1));
        together.messages.push((message, batch.items.len()));
        together.windows.extend(batch.items.into_iter().map(|item| Arrival { item, seq, again, brief }));
    }
    if !together.messages.is_empty() {
        record_together(app, together, &in_hand).await;
    }
}

/// Records the windows of several messages together. If that fails, one message at a time, so that a bad message
/// does not affect the others.
async fn record_together(app: &Arc<App>, together: Batch, in_hand: &InHand) {
    let Batch { messages, windows } = together;
    let span = Span::current();
    span.record("windows", windows.len());
    kit::link(&span, windows.iter().filter_map(|arrival| arrival.item.traceparent.as_deref()));
    match record_all(app, windows).await {
        Ok(settled) => {
            let mut settled = settled.into_iter();
            for (message, windows) in messages {
                let settled: Vec<Settled> = settled.by_ref().take(windows).collect();
                answer(app, &message, settled).await;
            }
        }
        Err(error) if error.is_away() || messages.len() == 1 => {
            for (message, _) in &messages {
                in_hand.let_go(message);
                give_back(app, message, &error).await;
            }
            if error.is_away() {
                sleep(PAUSE).await;
            }
        }
        Err(_) => {
            for (message, _) in messages {
                // Released from the group, because the others still wait behind it.
                in_hand.let_go(&message);
                Box::pin(record_messages(app, vec![message])).await;
            }
        }
    }
}

/// Answers the gateway, then acknowledges the message.
async fn answer(app: &App, message: &Message, settled: Vec<Settled>) {
    let inbox = message.headers.as_ref().and_then(|headers| headers.get(header::ANSWER_TO));
    if let Some(inbox) = inbox {
        match serde_json::to_vec(&word(settled)) {
            // A lost answer only turns a 201 into a 202.
            Ok(answer) => drop(app.bus.client.publish(inbox.to_string(), answer.into()).await),
            Err(error) => tracing::error!(%error, "an answer that cannot be written"),
        }
    }
    app.faults.at(Step::Answered).await;
    app.failures.forget(message);
    settle(message.ack().await.map_err(Error::Nats));
}

/// The answer to the gateway.
fn word(settled: Vec<Settled>) -> IngestAnswer {
    let mut answer = IngestAnswer { items: Vec::new(), set_aside: Vec::new() };
    for (item, Settled { outcome, aside, .. }) in settled.into_iter().enumerate() {
        answer.items.push(outcome);
        answer.set_aside.extend(aside.map(|(code, detail)| SetAside { item, code, detail }));
    }
    answer
}

/// Has the message redelivered a little later. One that keeps failing by itself is moved to DEAD.
async fn give_back(app: &App, message: &Message, error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let delay = if error.is_away() { Some(PAUSE) } else { app.failures.again(message) };
    let Some(delay) = delay else {
        return settle(bury(&app.bus, message, &format!("{error}: {cause}")).await);
    };
    let deliveries = message.info().map_or(1, |info| info.delivered);
    tracing::warn!(%error, cause, deliveries, "windows are not recorded; they come again");
    settle(message.ack_with(AckKind::Nak(Some(delay))).await.map_err(Error::Nats));
}

/// A failed acknowledgement is harmless: the message is redelivered.
fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "not acknowledged; it comes again");
    }
}
