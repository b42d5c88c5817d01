use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// Whether something has happened within the last moment. It can be noted and asked by many tasks at
/// once.
#[derive(Debug)]
pub struct Recently {
    within: Duration,
    began: Instant,
    /// The milliseconds from `began` to the moment at which the last note stops being recent.
    until: AtomicU64,
}

impl Recently {
    /// Nothing has happened yet. A note is recent for the time `within`.
    pub fn within(within: Duration) -> Self {
        Self { within, began: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Notes that it happens now.
    pub fn note(&self) {
        self.until.store(millis(self.began.elapsed() + self.within), Ordering::Relaxed);
    }

    /// Whether it has happened recently.
    pub fn is_true(&self) -> bool {
        millis(self.began.elapsed()) < self.until.load(Ordering::Relaxed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_noted_is_recent_for_so_long_and_no_longer() {
        let recently = Recently::within(Duration::from_millis(250));
        assert!(!recently.is_true());
        recently.note();
        assert!(recently.is_true());
        tokio::time::advance(Duration::from_millis(249)).await;
        assert!(recently.is_true());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!recently.is_true());
    }
}
