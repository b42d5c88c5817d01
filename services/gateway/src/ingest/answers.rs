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

/// The private inbox of this gateway: workers answer batch 17 on `<inbox>.17`.
///
/// An answer that is lost here makes a 202 of a 201, no more: the window is safe either way.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    inbox: String,
    next: Arc<AtomicU64>,
    awaited: Awaited,
}

/// An answer that is awaited. Dropping it stops waiting.
pub(super) struct Answer {
    pub(super) subject: String,
    pub(super) word: oneshot::Receiver<IngestAnswer>,
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
        let mut words = bus.client.subscribe(format!("{inbox}.*")).await?;
        let awaited = Awaited::default();
        let waiting = awaited.clone();
        // Ends with the connection.
        tokio::spawn(async move {
            while let Some(message) = words.next().await {
                let number = message.subject.rsplit('.').next().and_then(|last| last.parse().ok());
                let waiter =
                    number.and_then(|n: u64| waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&n));
                let Some(waiter) = waiter else { continue };
                match serde_json::from_slice(&message.payload) {
                    // Whoever no longer waits has answered "queued".
                    Ok(answer) => drop(waiter.send(answer)),
                    Err(error) => tracing::error!(%error, "a worker's answer that cannot be read"),
                }
            }
        });
        Ok(Self { inbox, next: Arc::default(), awaited })
    }

    /// Waits for the answer to one more batch.
    pub(super) fn expect(&self) -> Answer {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, word) = oneshot::channel();
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
        Answer { subject: format!("{}.{number}", self.inbox), word, number, awaited: self.awaited.clone() }
    }
}
