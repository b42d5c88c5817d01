use std::{sync::Arc, time::Duration};

use contracts::Failure;
use kit::Metrics;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::too_much;

/// The largest number of windows in batches that are not answered yet. The limit is small enough
/// that workers record all of them in a fraction of the two seconds for which a single post waits.
const MOST_WINDOWS: usize = 2_000;
/// The largest size of all batches that wait for their turn, in bytes: 24 MiB, about a hundred
/// batches of 500 windows. A limit of their number would refuse small batches whose turn would come
/// in time, or let large ones take too much memory.
const MOST_WAITING: usize = 24 << 20;
/// How long a batch waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// Limits the windows of concurrent batches, and the bytes of those that wait. Batches get their
/// turn in order of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    windows: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { windows: Arc::new(Semaphore::new(MOST_WINDOWS)), waiting: Arc::new(Semaphore::new(MOST_WAITING)) }
    }
}

impl Turns {
    /// Registers the metrics of the turns.
    pub(super) fn show(&self, metrics: &Metrics) {
        metrics.places("batched_windows", self.windows.clone());
        metrics.places("waiting_batch_bytes", self.waiting.clone());
    }

    /// Waits for the turn of a batch with this number of windows and bytes. The turn lasts until
    /// the permit is dropped.
    ///
    /// # Errors
    /// 429 when the turn does not come within two seconds, or when too many bytes wait already.
    pub(crate) async fn take(&self, windows: usize, bytes: usize) -> Result<SemaphorePermit<'_>, Failure> {
        let windows = windows.min(MOST_WINDOWS) as u32;
        if let Ok(turn) = self.windows.try_acquire_many(windows) {
            return Ok(turn);
        }
        let bytes = bytes.min(MOST_WAITING) as u32;
        let _place = self.waiting.try_acquire_many(bytes).map_err(|_| too_much())?;
        match timeout(PATIENCE, self.windows.acquire_many(windows)).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(too_much()),
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::Code;
    use futures::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn batches_wait_for_their_turn_in_the_order_in_which_they_came() {
        let turns = Turns::default();
        let first = turns.take(1_900, 1).await.unwrap();
        let mut second = Box::pin(turns.take(500, 1));
        assert!(second.as_mut().now_or_never().is_none(), "there is no room for it yet");
        // A smaller batch does not overtake a waiting one, although there would be room for it.
        let mut third = Box::pin(turns.take(50, 1));
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        let (second, third) = (second.await.unwrap(), third.await.unwrap());
        assert_eq!((second.num_permits(), third.num_permits()), (500, 50));
    }

    #[tokio::test(start_paused = true)]
    async fn whose_turn_does_not_come_in_two_seconds_is_told_to_come_again() {
        let turns = Turns::default();
        let _all = turns.take(usize::MAX, usize::MAX).await.unwrap();
        let started = tokio::time::Instant::now();
        let refused = turns.take(1, 1).await.unwrap_err();
        assert_eq!((refused.code, started.elapsed()), (Code::TooManyRequests, PATIENCE));

        let third = MOST_WAITING / 3;
        let refused = join_all([third, third, 1, third, third, 1].map(|bytes| {
            let (turns, started) = (turns.clone(), tokio::time::Instant::now());
            async move {
                turns.take(1, bytes).await.unwrap_err();
                started.elapsed().is_zero()
            }
        }));
        let at_once = [false, false, false, true, true, false];
        assert_eq!(refused.await, at_once, "so many bytes may wait; more may not, but few still may");
    }
}
