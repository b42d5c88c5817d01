//! Publishes windows to the stream INGEST, and receives the workers' answers.
//!
//! Posts that arrive at about the same time are coalesced into one message: a few publishers run
//! concurrently, and each publishes all posts that are waiting. A single post never waits for
//! further posts. Batches wait for their turn in order of arrival. Single posts have publishers and
//! messages of their own, which workers take first. Therefore clients that send many batches after
//! an outage do not delay single posts.

mod answers;
mod metrics;
mod publish;
mod queue;
mod turns;

use std::{sync::Arc, time::Duration};

use contracts::{Code, Failure, IngestItem, Outcome};
use kit::{Bus, Recently, Shutdown};
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};

pub(crate) use self::turns::Turns;
use self::{
    answers::Answers,
    metrics::IngestMetrics,
    publish::Publisher,
    queue::{Queue, Sent},
};

/// How long the gateway waits for a worker's answer before it answers "queued".
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);
/// How long the gateway tries to publish a window.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(4);
/// The largest number of windows in this gateway that are not answered yet. Further ones are
/// refused with 429.
const MOST_UNANSWERED: usize = 8_192;
/// The number of publishers of single posts, which run concurrently.
const PUBLISHERS: usize = 4;
/// The number of publishers of batches, which run concurrently.
const BATCH_PUBLISHERS: usize = 2;
/// The largest number of windows in one message.
const MOST_COALESCED: usize = 256;
/// The largest number of windows in a message of batches while single posts come. A worker records a
/// message as a whole, so a single post waits less for a smaller one.
const MOST_BESIDE_SINGLES: usize = 128;
/// After a single post, more are expected for this long.
const SINGLES_COME: Duration = Duration::from_millis(250);

/// A window that the stream has acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Submitted {
    /// The sequence number of the window's message in the stream.
    pub(crate) seq: u64,
    /// The outcome that a worker reported; [`Outcome::Queued`] if no report came in time.
    pub(crate) outcome: Outcome,
    /// Why the window stays queued and what happens next, if a worker has set it aside.
    pub(crate) aside: Option<Failure>,
}

/// When a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// After the outcome from a worker has arrived, or after 2 s.
    Settled,
    /// After the acknowledgement of the stream.
    Safe,
}

/// A window that waits to be published, and the channel for its result.
struct Waiting {
    item: IngestItem,
    until: Until,
    since: Instant,
    answer: oneshot::Sender<Result<Submitted, Failure>>,
}

/// Submits windows to the stream INGEST.
#[derive(Clone, Debug)]
pub struct Ingest {
    singles: Queue,
    batches: Queue,
    /// Whether single posts are in progress, or were until a moment ago.
    singles_come: Arc<Recently>,
    turns: Turns,
    places: Arc<Semaphore>,
    metrics: IngestMetrics,
}

impl Ingest {
    /// Starts the publishers. They run until the last clone of this value is dropped.
    ///
    /// # Errors
    /// When NATS refuses the subscription.
    pub async fn start(bus: &Bus, shutdown: &Shutdown) -> anyhow::Result<Self> {
        let metrics = IngestMetrics::new(bus.metrics());
        let answers = Answers::listen(bus).await?;
        let singles_come = Arc::new(Recently::within(SINGLES_COME));
        let publish = |sent, publishers| {
            let (queue, arrivals) = Queue::new(MOST_UNANSWERED);
            for _ in 0..publishers {
                let publisher = Publisher {
                    bus: bus.clone(),
                    answers: answers.clone(),
                    sent,
                    singles_come: singles_come.clone(),
                    arrivals: arrivals.clone(),
                    metrics: metrics.clone(),
                };
                let stop = shutdown.clone();
                shutdown.spawn(async move { publisher.run(&stop).await });
            }
            queue
        };
        let singles = publish(Sent::Singly, PUBLISHERS);
        let batches = publish(Sent::InBatches, BATCH_PUBLISHERS);
        let places = Arc::new(Semaphore::new(MOST_UNANSWERED));
        bus.metrics().places("windows", places.clone());
        let turns = Turns::default();
        turns.show(bus.metrics());
        Ok(Self { singles, batches, singles_come, turns, places, metrics })
    }

    /// The turns of batches.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Publishes windows, waits as `until` says, and returns the result of each window, in order.
    ///
    /// # Errors
    /// Each window has its own result: [`Code::TooManyRequests`] when too many windows are
    /// unanswered or the stream is full; [`Code::Unavailable`] when the stream has not acknowledged
    /// within 4 s. The client must keep such a window and send it again.
    pub(crate) async fn submit(&self, items: Vec<IngestItem>, until: Until) -> Vec<Result<Submitted, Failure>> {
        let submitted = self.publish_all(items, until).await;
        submitted.iter().for_each(|answer| self.metrics.answered(answer));
        submitted
    }

    async fn publish_all(&self, items: Vec<IngestItem>, until: Until) -> Vec<Result<Submitted, Failure>> {
        let Ok(_places) = self.places.try_acquire_many(items.len() as u32) else {
            return items.iter().map(|_| Err(too_much())).collect();
        };
        let since = Instant::now();
        let single = (items.len() == 1).then(|| self.singles_come.begin());
        let queue = if single.is_some() { &self.singles } else { &self.batches };
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let (answer, answered) = oneshot::channel();
            let sent = queue.put(Waiting { item, until, since, answer });
            answers.push(sent.map(|()| answered).map_err(|_| too_much()));
        }
        let mut submitted = Vec::with_capacity(answers.len());
        for answer in answers {
            submitted.push(match answer {
                Ok(answered) => answered.await.unwrap_or_else(|_| Err(unavailable())),
                Err(failure) => Err(failure),
            });
        }
        submitted
    }
}

fn too_much() -> Failure {
    Failure::new(Code::TooManyRequests, "More windows arrive than can be taken. Send this one again in a moment.")
}

fn unavailable() -> Failure {
    Failure::new(Code::Unavailable, "The queue for windows is away. Keep this window and send it again.")
}
