use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::{MOST_BESIDE_SINGLES, MOST_COALESCED, Waiting};

/// How windows were posted. Each way has its own queue, publishers and messages, so that single
/// posts never wait for batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// One window in a request.
    Singly,
    /// Several windows in a request.
    InBatches,
}

impl Sent {
    /// The largest number of windows in one message.
    pub(super) fn most_in_message(self, singles_come: bool) -> usize {
        match self {
            Self::InBatches if singles_come => MOST_BESIDE_SINGLES,
            _ => MOST_COALESCED,
        }
    }
}

/// The sending end of a queue of windows that wait to be published.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    windows: mpsc::Sender<Waiting>,
}

/// The receiving end of a queue. One publisher uses it at a time.
#[derive(Debug)]
pub(super) struct Arrivals {
    windows: mpsc::Receiver<Waiting>,
}

impl Queue {
    /// Creates a queue with room for `room` windows.
    pub(super) fn new(room: usize) -> (Self, Arc<Mutex<Arrivals>>) {
        let (sender, receiver) = mpsc::channel(room);
        (Self { windows: sender }, Arc::new(Mutex::new(Arrivals { windows: receiver })))
    }

    /// Adds a window to the queue.
    pub(super) fn put(&self, waiting: Waiting) -> Result<(), NoRoom> {
        self.windows.try_send(waiting).map_err(|_| NoRoom)
    }
}

/// The error of a full queue.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Arrivals {
    /// Waits for a window, and takes at most `most` windows that are in the queue. Returns 0 once
    /// all senders are dropped.
    pub(super) async fn take(&mut self, batch: &mut Vec<Waiting>, most: usize) -> usize {
        self.windows.recv_many(batch, most).await
    }

    /// Takes the windows that are in the queue, without waiting, until the batch has `most`
    /// windows.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_batches_are_smaller_while_single_posts_come() {
        assert!(Sent::InBatches.most_in_message(true) < Sent::InBatches.most_in_message(false));
        assert_eq!(Sent::Singly.most_in_message(true), Sent::Singly.most_in_message(false));
    }
}
