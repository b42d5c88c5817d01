use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// The rate at which all clients together send windows, and the signal that ends the campaign.
#[derive(Clone, Debug)]
pub(crate) struct Pace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The interval between two windows of all clients together.
    apart: Duration,
    next: Mutex<Instant>,
    hurries: AtomicBool,
    ends: AtomicBool,
    /// Wakes the clients that wait for their turn when the campaign ends.
    ended: Notify,
    sent: AtomicU64,
    /// By how many milliseconds the clocks of the employees' computers are wrong.
    off: AtomicI64,
    most: u64,
}

impl Pace {
    /// Creates the pace for this many windows in this time.
    pub(crate) fn new(windows: u64, within: Duration) -> Self {
        let apart = within.div_f64(windows.max(1) as f64);
        let (hurries, ends, sent) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
        let (next, off, ended) = (Mutex::new(Instant::now()), AtomicI64::new(0), Notify::new());
        Self(Arc::new(Inner { apart, next, hurries, ends, ended, sent, off, most: windows }))
    }

    /// Waits until the caller may send this many windows. Returns false if the campaign has ended.
    pub(crate) async fn turn(&self, windows: u64) -> bool {
        self.0.sent.fetch_add(windows, Ordering::Relaxed);
        if !self.0.hurries.load(Ordering::Relaxed) {
            let at = {
                let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
                // An outage may have delayed many turns. Without this limit their windows would all
                // be sent at once.
                let at = (*next).max(Instant::now() - Duration::from_secs(1));
                // When all windows are sent, the clients go on ten times more slowly while faults
                // are still injected.
                let slower = if self.is_reached() { 10 } else { 1 };
                *next = at + self.0.apart * windows as u32 * slower;
                at
            };
            let ended = self.0.ended.notified();
            if !self.is_over() {
                // The turn may be minutes away, so the end of the campaign interrupts the wait.
                tokio::select! {
                    () = sleep_until(at) => {}
                    () = ended => {}
                }
            }
        }
        !self.is_over()
    }

    /// Subtracts windows that the system refused without reading them. They do not count as sent.
    pub(crate) fn take_back(&self, windows: u64) {
        self.0.sent.fetch_sub(windows, Ordering::Relaxed);
    }

    /// Starts or ends a burst, in which all clients send as fast as they can.
    pub(crate) fn hurry(&self, hurries: bool) {
        self.0.hurries.store(hurries, Ordering::Relaxed);
    }

    /// Makes the clocks of the employees' computers wrong by this many milliseconds.
    pub(crate) fn set_off(&self, off: i64) {
        self.0.off.store(off, Ordering::Relaxed);
    }

    /// Returns by how many milliseconds the clocks of the employees' computers are wrong.
    pub(crate) fn off(&self) -> i64 {
        self.0.off.load(Ordering::Relaxed)
    }

    pub(crate) fn end(&self) {
        self.0.ends.store(true, Ordering::Relaxed);
        self.0.ended.notify_waiters();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.ends.load(Ordering::Relaxed)
    }

    /// Returns whether all windows of the campaign were sent.
    pub(crate) fn is_reached(&self) -> bool {
        self.0.sent.load(Ordering::Relaxed) >= self.0.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sender_whose_turn_is_far_away_ends_with_the_others() {
        let pace = Pace::new(1, Duration::from_secs(3_600));
        assert!(pace.turn(1).await, "the first turn is at once");
        let waits = tokio::spawn({
            let pace = pace.clone();
            async move { pace.turn(1).await }
        });
        pace.end();
        assert!(!tokio::time::timeout(Duration::from_secs(10), waits).await.unwrap().unwrap());
    }
}
