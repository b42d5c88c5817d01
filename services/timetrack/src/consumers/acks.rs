//! The acknowledgement that waits for the next message.
//!
//! Where the last message of the queue is acknowledged, NATS makes a new file, syncs it, and removes the old one, before
//! it takes the next message: whoever posts next would wait for that. So the last one stays until another has come, or
//! none comes for a moment. A worker that dies meanwhile has it delivered again, which is harmless.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::Message;
use kit::{Error, Shutdown};
use tokio::{sync::Notify, time::sleep};

/// For how long the last message stays in the queue: well below the time in which the server wants to hear of it.
const STAYS: Duration = Duration::from_millis(100);

/// The messages that are done.
#[derive(Debug, Default)]
pub(super) struct Acks {
    last: Mutex<Last>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Last {
    message: Option<Message>,
    /// One more with every message that is done.
    number: u64,
    /// Whether messages are acknowledged at once.
    is_stopping: bool,
}

impl Acks {
    /// Acknowledges the last message in time, until shutdown.
    pub(super) fn keep(self: Arc<Self>, shutdown: &Shutdown) {
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            while !stop.is_stopping() {
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = stop.stopping() => break,
                }
                let mut number = 0;
                while number != self.last().number {
                    number = self.last().number;
                    tokio::select! {
                        () = sleep(STAYS) => {}
                        () = stop.stopping() => break,
                    }
                }
                self.another().await;
            }
            self.last().is_stopping = true;
            self.another().await;
        });
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This message is done, and is acknowledged soon.
    pub(super) async fn done(&self, message: Message) {
        let before = self.replace(message);
        self.changed.notify_one();
        acknowledge(before).await;
    }

    fn replace(&self, message: Message) -> Option<Message> {
        let mut last = self.last();
        last.number += 1;
        if last.is_stopping { Some(message) } else { last.message.replace(message) }
    }

    /// Another message is here: the last one that was done need not stay.
    pub(super) async fn another(&self) {
        let last = self.last().message.take();
        acknowledge(last).await;
    }
}

async fn acknowledge(message: Option<Message>) {
    if let Some(message) = message {
        settle(message.ack().await.map_err(Error::Nats));
    }
}

/// A failed acknowledgement is harmless: the message is redelivered.
pub(super) fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "not acknowledged; it comes again");
    }
}
