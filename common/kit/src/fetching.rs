use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{
    Message,
    consumer::{
        PullConsumer,
        pull::{Batch, BatchError},
    },
};
use futures::{FutureExt, StreamExt};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    Bus,
    in_hand::{PROGRESS, replies, tell_progress},
};

/// How long a request for messages stands. The server goes on to answer one whose asker stands still,
/// so it is short. No heartbeats: this is as often as those would come.
const EXPIRES: Duration = Duration::from_secs(2);
/// A request that has not ended so long after that is lost, as those are that were made before the
/// connection broke.
const LOST: Duration = Duration::from_millis(500);
/// The pause after a request that failed, and between two looks whether the connection is back.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a stop waits for what is on its way here.
const GIVING_BACK: Duration = Duration::from_secs(1);

/// Messages that are fetched ahead of their work, by a task of its own that asks for no more than fit
/// and keeps those that wait from being delivered again.
#[derive(Debug)]
pub(crate) struct Fetching {
    waiting: Arc<Waiting>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

/// The messages that nobody here has looked at yet.
#[derive(Debug, Default)]
struct Waiting {
    messages: Mutex<VecDeque<Message>>,
    /// Some have come.
    came: Notify,
    /// Some were taken.
    taken: Notify,
}

impl Fetching {
    /// Begins to fetch, at most so many ahead.
    pub(crate) fn start(bus: &Bus, consumer: PullConsumer, most: usize) -> Self {
        let (waiting, stop) = (Arc::new(Waiting::default()), CancellationToken::new());
        let task = fetch(bus.clone(), consumer, most, waiting.clone(), stop.clone());
        Self { waiting, stop, task: AbortOnDropHandle::new(tokio::spawn(task)) }
    }

    /// Waits until there is at least one.
    pub(crate) async fn come(&self) {
        while self.waiting.len() == 0 {
            self.waiting.came.notified().await;
        }
    }

    /// Those that are here, at most so many.
    pub(crate) fn take(&self, most: usize) -> Vec<Message> {
        let mut messages = self.waiting.messages();
        let few = messages.len().min(most);
        let taken = messages.drain(..few).collect();
        drop(messages);
        self.waiting.taken.notify_one();
        taken
    }

    /// How many are here.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Asks for no more, and gives those that nobody has taken. The server knows by then that we ask
    /// no longer: what is given back now does not come here.
    pub(crate) async fn stop(self) -> Vec<Message> {
        self.stop.cancel();
        let _ = self.task.await;
        self.waiting.messages().drain(..).collect()
    }
}

impl Waiting {
    fn messages(&self) -> std::sync::MutexGuard<'_, VecDeque<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.messages().len()
    }

    fn push(&self, message: Message) {
        self.messages().push_back(message);
        self.came.notify_one();
    }

    async fn tell_progress(&self, bus: &Bus) {
        let replies = replies(self.messages().iter());
        tell_progress(&bus.client, replies).await;
    }
}

async fn fetch(bus: Bus, consumer: PullConsumer, most: usize, waiting: Arc<Waiting>, stop: CancellationToken) {
    let mut ticks = interval(PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.is_cancelled() {
        // Few requests for many, rather than many for one each.
        let room = most.saturating_sub(waiting.len());
        let has_room = room > 0 && room * 2 >= most;
        // A request that waits for the connection would be made for nobody.
        if !has_room || !bus.is_connected() {
            tokio::select! {
                () = waiting.taken.notified(), if !has_room => {}
                () = sleep(PAUSE), if has_room => {}
                _ = ticks.tick() => waiting.tell_progress(&bus).await,
                () = stop.cancelled() => {}
            }
            continue;
        }
        let mut batch = match request(&consumer, room).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(%error, "cannot ask for messages");
                sleep(PAUSE).await;
                continue;
            }
        };
        let lost = sleep(EXPIRES + LOST);
        tokio::pin!(lost);
        loop {
            tokio::select! {
                message = batch.next() => match message {
                    Some(Ok(message)) => waiting.push(message),
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a request for messages has failed");
                        sleep(PAUSE).await;
                        break;
                    }
                    None => break,
                },
                _ = ticks.tick() => waiting.tell_progress(&bus).await,
                () = &mut lost => break,
                () = stop.cancelled() => {
                    end(&bus, batch, &waiting).await;
                    return;
                }
            }
        }
    }
}

async fn request(consumer: &PullConsumer, room: usize) -> Result<Batch, BatchError> {
    consumer.batch().max_messages(room).expires(EXPIRES).messages().await
}

/// Takes what the server has sent so far: that is here when its echo is. Then the request is dropped,
/// and the server knows that when there is an echo again.
async fn end(bus: &Bus, mut batch: Batch, waiting: &Waiting) {
    let _ = timeout(GIVING_BACK, bus.settled()).await;
    while let Some(Some(Ok(message))) = batch.next().now_or_never() {
        waiting.push(message);
    }
    drop(batch);
    let _ = timeout(GIVING_BACK, bus.settled()).await;
}
