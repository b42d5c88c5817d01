use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::Waiting;

/// Windows that wait to be published. Those of single posts come before those of batches.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    singles: mpsc::Sender<Waiting>,
    batches: mpsc::Sender<Waiting>,
}

/// The receiving end of the queue, for one publisher at a time.
#[derive(Debug)]
pub(super) struct Arrivals {
    singles: mpsc::Receiver<Waiting>,
    batches: mpsc::Receiver<Waiting>,
}

impl Queue {
    /// A queue with room for so many windows of each kind.
    pub(super) fn new(room: usize) -> (Self, Arc<Mutex<Arrivals>>) {
        let ((singles, from_singles), (batches, from_batches)) = (mpsc::channel(room), mpsc::channel(room));
        let arrivals = Arrivals { singles: from_singles, batches: from_batches };
        (Self { singles, batches }, Arc::new(Mutex::new(arrivals)))
    }

    /// Adds a window.
    pub(super) fn put(&self, is_batch: bool, waiting: Waiting) -> Result<(), NoRoom> {
        let kind = if is_batch { &self.batches } else { &self.singles };
        kind.try_send(waiting).map_err(|_| NoRoom)
    }
}

/// The queue is full.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Arrivals {
    /// Waits for a window, and takes all that are there, up to `most` in all. Gives 0 once all senders are dropped.
    pub(super) async fn take(&mut self, batch: &mut Vec<Waiting>, most: usize) -> usize {
        let first = tokio::select! {
            biased;
            first = self.singles.recv() => first,
            first = self.batches.recv() => first,
        };
        // Both channels close together; `take_ready` empties the other one first.
        let taken = usize::from(first.is_some());
        batch.extend(first);
        taken + self.take_ready(batch, most)
    }

    /// Takes the windows that are there, up to `most` in all.
    pub(super) fn take_ready(&mut self, batch: &mut Vec<Waiting>, most: usize) -> usize {
        let before = batch.len();
        for kind in [&mut self.singles, &mut self.batches] {
            while batch.len() < most
                && let Ok(waiting) = kind.try_recv()
            {
                batch.push(waiting);
            }
        }
        batch.len() - before
    }
}
