use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use contracts::IngestAnswer;
use futures::StreamExt;
use kit::Bus;
use tokio::sync::oneshot;

type Awaited = Arc<Mutex<HashMap<u64, oneshot::Sender<IngestAnswer>>>>;

/// The reply inbox of this gateway. The worker sends its answer to the gateway's message 17 to the
/// subject `<inbox>.17`.
///
/// If an answer is lost, the gateway answers 202 (queued) to the requests with windows of this
/// message. The windows are not lost.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    inbox: String,
    next: Arc<AtomicU64>,
    awaited: Awaited,
}

/// A pending answer of a worker. Dropping it stops waiting.
pub(super) struct Answer {
    pub(super) subject: String,
    pub(super) receiver: oneshot::Receiver<IngestAnswer>,
    number: u64,
    awaited: Awaited,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Answers {
    pub(super) async fn listen(bus: &Bus) -> anyhow::Result<Self> {
        let inbox = bus.client.new_inbox();
        let mut messages = bus.client.subscribe(format!("{inbox}.*")).await?;
        let awaited = Awaited::default();
        let waiting = awaited.clone();
        // The task ends when the NATS connection is closed.
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let number = message.subject.rsplit('.').next().and_then(|last| last.parse().ok());
                let waiter =
                    number.and_then(|n: u64| waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&n));
                let Some(waiter) = waiter else { continue };
                match serde_json::from_slice(&message.payload) {
                    // Sending fails when the wait has timed out meanwhile, and the request was
                    // answered with "queued".
                    Ok(answer) => drop(waiter.send(answer)),
                    Err(error) => tracing::error!(%error, "a worker's answer that cannot be read"),
                }
            }
        });
        Ok(Self { inbox, next: Arc::default(), awaited })
    }

    /// Creates the reply subject of one more message, and the channel on which its answer arrives.
    pub(super) fn expect(&self) -> Answer {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
        Answer { subject: format!("{}.{number}", self.inbox), receiver, number, awaited: self.awaited.clone() }
    }
}
