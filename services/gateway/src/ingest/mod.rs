//! The way of a window out of the gateway: onto the queue INGEST, and back with a worker's word.
//!
//! Posts that arrive together leave as one message: a few publishes are in flight, and each takes
//! all posts that are waiting. A lone post waits for nobody. Batches wait for their turn, in the order in
//! which they came, and single posts go before them: whoever catches up after an outage does not keep
//! others waiting.

mod answers;
mod publish;
mod queue;
mod turns;

use std::{sync::Arc, time::Duration};

use contracts::{Code, Failure, IngestItem, Outcome};
use kit::{Bus, Shutdown};
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};

pub(crate) use self::turns::Turns;
use self::{answers::Answers, publish::Publisher, queue::Queue};
use crate::metrics::GatewayMetrics;

/// How long a worker's word is waited for before the answer is "queued".
const WORD: Duration = Duration::from_secs(2);
/// How long a window is tried to be handed to NATS, in all.
const HAND_OVER: Duration = Duration::from_secs(4);
/// The most windows of this gateway that are on their way at once; past it, 429.
const MOST_ON_THE_WAY: usize = 8_192;
/// How many publishes are in flight.
const PUBLISHERS: usize = 4;
/// The most windows that leave as one message.
const MOST_TOGETHER: usize = 256;

/// A window that the stream has.
#[derive(Clone, Debug)]
pub(crate) struct Submitted {
    /// Its place there.
    pub(crate) seq: u64,
    /// What became of it, as a worker said; queued where none has said anything yet.
    pub(crate) outcome: Outcome,
    /// Why it is queued and what happens next, where a worker has set it aside.
    pub(crate) aside: Option<Failure>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// A worker's word, up to 2 s.
    Settled,
    /// The stream's acknowledgement, no more.
    Safe,
}

/// A window that is waiting to leave, and whoever waits for its answer.
struct Waiting {
    item: IngestItem,
    until: Until,
    since: Instant,
    answer: oneshot::Sender<Result<Submitted, Failure>>,
}

/// The queue INGEST, as the gateway sees it.
#[derive(Clone, Debug)]
pub struct Ingest {
    queue: Queue,
    turns: Turns,
    places: Arc<Semaphore>,
    metrics: GatewayMetrics,
}

impl Ingest {
    /// Starts handing over, until every clone of this is gone.
    ///
    /// # Errors
    /// When NATS refuses.
    pub async fn start(bus: &Bus, metrics: &GatewayMetrics, shutdown: &Shutdown) -> anyhow::Result<Self> {
        let (queue, arrivals) = Queue::new(MOST_ON_THE_WAY);
        let answers = Answers::listen(bus).await?;
        for _ in 0..PUBLISHERS {
            let publisher = Publisher::new(bus.clone(), answers.clone(), arrivals.clone(), metrics.clone());
            let stop = shutdown.clone();
            shutdown.spawn(async move { publisher.run(&stop).await });
        }
        let places = Arc::new(Semaphore::new(MOST_ON_THE_WAY));
        bus.metrics().places("windows", places.clone());
        let turns = Turns::default();
        turns.show(bus.metrics());
        Ok(Self { queue, turns, places, metrics: metrics.clone() })
    }

    /// In which order batches are taken.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Hands windows over and waits; gives what became of each, in order.
    ///
    /// # Errors
    /// For each window by itself: [`Code::TooManyRequests`] where too much is on its way, or the
    /// stream is full; [`Code::Unavailable`] where not even the stream has it after 4 s. The client
    /// still holds it.
    pub(crate) async fn submit(&self, items: Vec<IngestItem>, until: Until) -> Vec<Result<Submitted, Failure>> {
        let submitted = self.hand_over(items, until).await;
        submitted.iter().for_each(|answer| self.metrics.told(answer));
        submitted
    }

    async fn hand_over(&self, items: Vec<IngestItem>, until: Until) -> Vec<Result<Submitted, Failure>> {
        let Ok(_places) = self.places.try_acquire_many(items.len() as u32) else {
            return items.iter().map(|_| Err(too_much())).collect();
        };
        let (since, is_batch) = (Instant::now(), items.len() > 1);
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let (answer, answered) = oneshot::channel();
            let sent = self.queue.put(is_batch, Waiting { item, until, since, answer });
            answers.push(sent.map(|()| answered).map_err(|_| too_much()));
        }
        let mut submitted = Vec::with_capacity(answers.len());
        for answer in answers {
            submitted.push(match answer {
                Ok(answered) => answered.await.unwrap_or_else(|_| Err(away())),
                Err(failure) => Err(failure),
            });
        }
        submitted
    }
}

fn too_much() -> Failure {
    Failure::new(Code::TooManyRequests, "More windows arrive than can be taken. Send this one again in a moment.")
}

fn away() -> Failure {
    Failure::new(Code::Unavailable, "The queue for windows is away. Keep this window and send it again.")
}
