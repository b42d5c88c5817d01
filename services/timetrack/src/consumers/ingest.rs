use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, Message};
use contracts::{
    INGEST_BATCHES, INGEST_BATCHES_CONSUMER, INGEST_WINDOWS, IngestAnswer, IngestBatch, Service, SetAside, header,
    stream,
};
use kit::{Error, InHand, Pull, Puller, Recently, Shutdown, bury};
use tokio::{sync::Semaphore, time::sleep};
use tracing::{Instrument, Span, field::Empty, info_span};

use super::recorder::{Arrival, Settled, record_all};
use crate::{App, Step};

/// The most windows that are recorded together.
const MOST_WINDOWS: usize = 1_000;
/// The most windows of client batches that are recorded together while single posts come. A single
/// post waits for what MongoDB is inserting already.
const MOST_BESIDE_SINGLES: usize = 128;
/// After a single post, more are expected for this long.
const SINGLES_COME: Duration = Duration::from_millis(250);
/// How long pulling pauses when MongoDB or NATS cannot be reached.
const PAUSE: Duration = Duration::from_secs(1);

/// One of the two subjects of the queue INGEST, with the settings of its consumer.
#[derive(Clone, Copy, Debug)]
struct Lane {
    /// The subject of the messages.
    subject: &'static str,
    /// The durable consumer, which all replicas share.
    durable: &'static str,
    /// The most messages that are recorded together as one batch.
    most_messages: usize,
    /// The most batches in progress at the same time: while one batch waits for MongoDB's journal,
    /// another one is checked.
    in_hand: u32,
    /// The label of the metric that counts the batches in progress.
    places: &'static str,
}

/// The subject of windows that were posted one by one.
const SINGLES: Lane = Lane {
    subject: INGEST_WINDOWS,
    durable: Service::Timetrack.name(),
    most_messages: 64,
    in_hand: 4,
    places: "batches",
};
/// The subject of windows that clients have posted in batches. It has fewer batches in progress, so
/// that single posts find MongoDB free. While single posts come to this process, fewer windows are
/// recorded at a time.
const BATCHES: Lane = Lane {
    subject: INGEST_BATCHES,
    durable: INGEST_BATCHES_CONSUMER,
    most_messages: 8,
    in_hand: 2,
    places: "client_batches",
};

/// Consumes windows from the queue INGEST and records them. All replicas do this at the same time.
#[derive(Debug)]
pub(crate) struct Ingest {
    app: Arc<App>,
}

/// Messages whose windows are recorded together, and these windows.
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

    /// The two durable consumers of INGEST.
    pub(crate) fn pulls() -> [Pull; 2] {
        [SINGLES, BATCHES].map(Lane::pull)
    }

    /// Opens the consumers, and returns. Background tasks then record windows until shutdown.
    pub(crate) async fn consume(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let singles_come = Arc::new(Recently::within(SINGLES_COME));
        for lane in [SINGLES, BATCHES] {
            lane.consume(self.app.clone(), singles_come.clone(), shutdown).await?;
        }
        Ok(())
    }
}

/// How much one batch of a lane may do at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Share {
    /// The number of permits out of [`Lane::in_hand`]. With all of them, no other batch of the lane is
    /// in progress.
    places: u32,
    /// The most windows that are recorded together.
    together: usize,
}

impl Lane {
    fn is_of_singles(self) -> bool {
        self.subject == SINGLES.subject
    }

    /// How much the next batch may do at a time. Client batches make way for single posts.
    fn share(self, singles_come: bool) -> Share {
        match singles_come && !self.is_of_singles() {
            true => Share { places: self.in_hand, together: MOST_BESIDE_SINGLES },
            false => Share { places: 1, together: MOST_WINDOWS },
        }
    }

    fn pull(self) -> Pull {
        Pull {
            stream: stream::INGEST,
            durable: self.durable,
            filters: vec![self.subject.to_owned()],
            max_ack_pending: 10_000,
            prefetch: 2 * self.most_messages,
        }
    }

    async fn consume(self, app: Arc<App>, singles_come: Arc<Recently>, shutdown: &Shutdown) -> anyhow::Result<()> {
        let mut puller = Puller::new(app.bus.clone(), self.pull());
        puller.open().await?;
        puller.watch(shutdown);
        let stop = shutdown.clone();
        let in_hand = Arc::new(Semaphore::new(self.in_hand as usize));
        app.bus.metrics().places(self.places, in_hand.clone());
        shutdown.spawn(async move {
            // The permit must be acquired before messages are pulled: while this replica is busy,
            // the messages stay available to other replicas.
            loop {
                let Share { places, .. } = self.share(singles_come.is_true());
                let Ok(place) = in_hand.clone().acquire_many_owned(places).await else { break };
                let Some(messages) = puller.next(self.most_messages, &stop).await else { break };
                // Single posts may have come while this lane waited for a message.
                let Share { together, .. } = self.share(singles_come.is_true());
                let single = self.is_of_singles().then(|| singles_come.begin());
                let app = app.clone();
                stop.spawn(async move {
                    let span = info_span!("record", messages = messages.len(), windows = Empty, trace_id = Empty);
                    kit::continue_traces(&span, messages.iter().map(|message| message.headers.as_ref()));
                    record_messages(&app, messages, together).instrument(span).await;
                    drop((place, single));
                });
            }
        });
        Ok(())
    }
}

/// Records the windows of messages, at most `most` of them together, but each message as a whole.
async fn record_messages(app: &Arc<App>, messages: Vec<Message>, most: usize) {
    let in_hand = InHand::hold(&app.bus, &messages);
    let mut together = Batch::default();
    for message in messages {
        let batch = match serde_json::from_slice::<IngestBatch>(&message.payload) {
            Ok(batch) => batch,
            Err(error) => {
                // The text of the error may quote the payload, so only the position of the error is
                // logged.
                let reason = format!("cannot be read at column {}", error.column());
                settle(bury(&app.bus, &message, &reason).await);
                continue;
            }
        };
        if together.windows.len() + batch.items.len() > most && !together.messages.is_empty() {
            record_together(app, std::mem::take(&mut together), &in_hand).await;
        }
        if kit::is_mutant("ack_before_commit") {
            settle(message.ack().await.map_err(Error::Nats));
        }
        let info = message.info().ok();
        let brief = message.subject.as_str() == BATCHES.subject;
        let (seq, again) = (info.as_ref().map(|info| info.stream_sequence), info.is_none_or(|info| info.delivered > 1));
        together.messages.push((message, batch.items.len()));
        together.windows.extend(batch.items.into_iter().map(|item| Arrival { item, seq, again, brief }));
    }
    if !together.messages.is_empty() {
        record_together(app, together, &in_hand).await;
    }
}

/// Records the windows of several messages together. If MongoDB or NATS cannot be reached, all
/// messages are redelivered later. After another error, the messages are recorded one at a time, so
/// that a bad message does not stop the others.
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
                // `record_messages` reports progress on this message itself. Until their turn,
                // `in_hand` reports progress on the messages after it.
                in_hand.let_go(&message);
                Box::pin(record_messages(app, vec![message], MOST_WINDOWS)).await;
            }
        }
    }
}

/// Sends the answer to the gateway, then acknowledges the message.
async fn answer(app: &App, message: &Message, settled: Vec<Settled>) {
    let inbox = message.headers.as_ref().and_then(|headers| headers.get(header::ANSWER_TO));
    if let Some(inbox) = inbox {
        match serde_json::to_vec(&word(settled)) {
            // If the answer is lost, the gateway replies 202 and not 201, which is harmless.
            Ok(answer) => drop(app.bus.client.publish(inbox.to_string(), answer.into()).await),
            Err(error) => tracing::error!(%error, "an answer that cannot be written"),
        }
    }
    app.faults.at(Step::Answered).await;
    app.failures.forget(message);
    settle(message.ack().await.map_err(Error::Nats));
}

/// The answer to the gateway about the windows of one message.
fn word(settled: Vec<Settled>) -> IngestAnswer {
    let mut answer = IngestAnswer { items: Vec::new(), set_aside: Vec::new() };
    for (item, Settled { outcome, aside, .. }) in settled.into_iter().enumerate() {
        answer.items.push(outcome);
        answer.set_aside.extend(aside.map(|(code, detail)| SetAside { item, code, detail }));
    }
    answer
}

/// Has the message redelivered after a pause. A message that keeps failing although MongoDB and
/// NATS can be reached is moved to DEAD.
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

/// Logs a failed acknowledgement, which is harmless: the message is redelivered.
fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "not acknowledged; it comes again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_windows_of_client_batches_are_recorded_at_a_time_while_single_posts_come() {
        assert_eq!(BATCHES.share(true), Share { places: BATCHES.in_hand, together: MOST_BESIDE_SINGLES });
        assert_eq!(BATCHES.share(false), Share { places: 1, together: MOST_WINDOWS });
        assert_eq!(SINGLES.share(true), SINGLES.share(false));
    }
}
