use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::Waiting;

/// How windows were sent. Each way has a queue, publishers and messages of its own, so that single posts never wait for
/// batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// One by one.
    Singly,
    /// Many in one request.
    InBatches,
}

/// Windows that wait to be published.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    windows: mpsc::Sender<Waiting>,
}

/// The receiving end of a queue, for one publisher at a time.
#[derive(Debug)]
pub(super) struct Arrivals {
    windows: mpsc::Receiver<Waiting>,
}

impl Queue {
    /// A queue with room for this many windows.
    pub(super) fn new(room: usize) -> (Self, Arc<Mutex<Arrivals>>) {
        let (sender, receiver) = mpsc::channel(room);
        (Self { windows: sender }, Arc::new(Mutex::new(Arrivals { windows: receiver })))
    }

    /// Adds a window.
    pub(super) fn put(&self, waiting: Waiting) -> Result<(), NoRoom> {
        self.windows.try_send(waiting).map_err(|_| NoRoom)
    }
}

/// The queue is full.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Arrivals {
    /// Waits for a window, and takes all that are there, up to `most` in all. Gives 0 once all senders are dropped.
    pub(super) async fn take(&mut self, batch: &mut Vec<Waiting>, most: usize) -> usize {
        self.windows.recv_many(batch, most).await
    }

    /// Takes the windows that are there, up to `most` in all.
    pub(super) fn take_ready(&mut self, batch: &mut Vec<Waiting>, most: usize) -> usize {
        let before = batch.len();
        while batch.len() < most
            && let Ok(waiting) = self.windows.try_recv()
        {
            batch.push(waiting);
        }
        batch.len() - before
    }
}
