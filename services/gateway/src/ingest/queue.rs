use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::Waiting;

/// Windows that are waiting to leave: those of single posts, and behind them those of batches.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    singles: mpsc::Sender<Waiting>,
    batches: mpsc::Sender<Waiting>,
}

/// The end of the queue at which they are taken, by one at a time.
#[derive(Debug)]
pub(super) struct Arrivals {
    singles: mpsc::Receiver<Waiting>,
    batches: mpsc::Receiver<Waiting>,
}

impl Queue {
    /// Both kinds have room for so many.
    pub(super) fn new(room: usize) -> (Self, Arc<Mutex<Arrivals>>) {
        let ((singles, from_singles), (batches, from_batches)) = (mpsc::channel(room), mpsc::channel(room));
        let arrivals = Arrivals { singles: from_singles, batches: from_batches };
        (Self { singles, batches }, Arc::new(Mutex::new(arrivals)))
    }

    /// Puts one at the end; says whether there was room.
    pub(super) fn put(&self, is_batch: bool, waiting: Waiting) -> Result<(), NoRoom> {
        let kind = if is_batch { &self.batches } else { &self.singles };
        kind.try_send(waiting).map_err(|_| NoRoom)
    }
}

/// There was no room.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Arrivals {
    /// Waits until something is there, and takes all of it up to so many in all; nothing once nobody is
    /// left who could put something in.
    pub(super) async fn take(&mut self, together: &mut Vec<Waiting>, most: usize) -> usize {
        let first = tokio::select! {
            biased;
            first = self.singles.recv() => first,
            first = self.batches.recv() => first,
        };
        // Where one kind is closed the other is too: what is left there is taken first.
        let taken = usize::from(first.is_some());
        together.extend(first);
        taken + self.take_ready(together, most)
    }

    /// Takes what is there, up to so many in all.
    pub(super) fn take_ready(&mut self, together: &mut Vec<Waiting>, most: usize) -> usize {
        let before = together.len();
        for kind in [&mut self.singles, &mut self.batches] {
            while together.len() < most
                && let Ok(waiting) = kind.try_recv()
            {
                together.push(waiting);
            }
        }
        together.len() - before
    }
}
