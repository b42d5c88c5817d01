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
    in_hand::{PROGRESS, replies, report_progress},
};

/// How long a pull request is valid at the server. The server goes on sending for this time after
/// this process has stopped reading, so the time is short. Because it is short, heartbeats are not
/// needed.
const EXPIRES: Duration = Duration::from_secs(2);
/// How long after [`EXPIRES`] a pull request counts as lost. A pull request never ends when its
/// connection breaks.
const LOST: Duration = Duration::from_millis(500);
/// The pause after a failed pull request, and between two checks whether the connection is up
/// again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a stop waits for messages that the server has sent and that have not arrived yet.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// A bounded buffer of messages, which a background task fetches before they are processed. The
/// task requests only as many messages as fit. It sends progress messages for the buffered
/// messages, so that the server does not redeliver them.
#[derive(Debug)]
pub(crate) struct Prefetcher {
    buffer: Arc<Buffer>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

/// The messages that were fetched and that nobody has taken yet.
#[derive(Debug, Default)]
struct Buffer {
    messages: Mutex<VecDeque<Message>>,
    /// Signals that a message was added.
    added: Notify,
    /// Signals that messages were removed.
    removed: Notify,
}

impl Prefetcher {
    /// Starts the task that fetches messages into a buffer for `most` messages.
    pub(crate) fn start(bus: &Bus, consumer: PullConsumer, most: usize) -> Self {
        let (buffer, stop) = (Arc::new(Buffer::default()), CancellationToken::new());
        let task = fetch(bus.clone(), consumer, most, buffer.clone(), stop.clone());
        Self { buffer, stop, task: AbortOnDropHandle::new(tokio::spawn(task)) }
    }

    /// Waits until there is at least one message.
    pub(crate) async fn wait(&self) {
        while self.buffer.len() == 0 {
            self.buffer.added.notified().await;
        }
    }

    /// Removes and returns the oldest messages, at most `most`.
    pub(crate) fn take(&self, most: usize) -> Vec<Message> {
        let mut messages = self.buffer.messages();
        let count = messages.len().min(most);
        let taken = messages.drain(..count).collect();
        drop(messages);
        self.buffer.removed.notify_one();
        taken
    }

    /// The number of buffered messages.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Stops fetching and returns the buffered messages. The server then knows that the pull
    /// request has ended, so messages that are given back now go to another process.
    pub(crate) async fn stop(self) -> Vec<Message> {
        self.stop.cancel();
        let _ = self.task.await;
        self.buffer.messages().drain(..).collect()
    }
}

impl Buffer {
    fn messages(&self) -> std::sync::MutexGuard<'_, VecDeque<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.messages().len()
    }

    fn push(&self, message: Message) {
        self.messages().push_back(message);
        self.added.notify_one();
    }

    async fn report_progress(&self, bus: &Bus) {
        let replies = replies(self.messages().iter());
        report_progress(&bus.client, replies).await;
    }
}

async fn fetch(bus: Bus, consumer: PullConsumer, most: usize, buffer: Arc<Buffer>, stop: CancellationToken) {
    let mut ticks = interval(PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.is_cancelled() {
        // A pull request is sent only when at least half of the buffer is free: few requests for
        // many messages cost less.
        let room = most.saturating_sub(buffer.len());
        let has_room = room > 0 && room * 2 >= most;
        // While disconnected, the client would queue the request, and its reply could come when
        // nobody reads it any more.
        if !has_room || !bus.is_connected() {
            tokio::select! {
                () = buffer.removed.notified(), if !has_room => {}
                () = sleep(PAUSE), if has_room => {}
                _ = ticks.tick() => buffer.report_progress(&bus).await,
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
                    Some(Ok(message)) => buffer.push(message),
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a request for messages has failed");
                        sleep(PAUSE).await;
                        break;
                    }
                    None => break,
                },
                _ = ticks.tick() => buffer.report_progress(&bus).await,
                () = &mut lost => break,
                () = stop.cancelled() => {
                    drain(&bus, batch, &buffer).await;
                    return;
                }
            }
        }
    }
}

async fn request(consumer: &PullConsumer, room: usize) -> Result<Batch, BatchError> {
    consumer.batch().max_messages(room).expires(EXPIRES).messages().await
}

/// Takes the messages that the server has sent so far; the first `settled` ensures that they have
/// arrived. Then drops the pull request; the second `settled` ensures that the server knows that.
async fn drain(bus: &Bus, mut batch: Batch, buffer: &Buffer) {
    let _ = timeout(STOP_PATIENCE, bus.settled()).await;
    while let Some(Some(Ok(message))) = batch.next().now_or_never() {
        buffer.push(message);
    }
    drop(batch);
    let _ = timeout(STOP_PATIENCE, bus.settled()).await;
}
