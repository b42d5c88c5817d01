use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Whether something happens now, or has happened within the last moment, in this process.
#[derive(Debug)]
pub struct Recently {
    within: Duration,
    made: Instant,
    ongoing: AtomicUsize,
    /// The milliseconds from `made` to the moment until which the last end is recent.
    until: AtomicU64,
}

/// It happens until this is dropped.
#[derive(Debug)]
pub struct Ongoing(Arc<Recently>);

impl Recently {
    /// Nothing has happened yet. What has ended is recent for the time `within`.
    pub fn within(within: Duration) -> Self {
        Self { within, made: Instant::now(), ongoing: AtomicUsize::new(0), until: AtomicU64::new(0) }
    }

    /// It happens from now on, until the returned value is dropped.
    pub fn begin(self: &Arc<Self>) -> Ongoing {
        self.ongoing.fetch_add(1, Ordering::Relaxed);
        Ongoing(self.clone())
    }

    /// Whether it happens now or has ended recently.
    pub fn is_true(&self) -> bool {
        self.ongoing.load(Ordering::Relaxed) > 0 || millis(self.made.elapsed()) < self.until.load(Ordering::Relaxed)
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        let Recently { within, made, ongoing, until } = &*self.0;
        until.store(millis(made.elapsed() + *within), Ordering::Relaxed);
        ongoing.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_true_while_it_happens_and_a_moment_after_the_last_end() {
        let recently = Arc::new(Recently::within(Duration::from_millis(250)));
        assert!(!recently.is_true());
        let (one, other) = (recently.begin(), recently.begin());
        advance(Duration::from_secs(1)).await;
        drop(one);
        advance(Duration::from_secs(1)).await;
        assert!(recently.is_true(), "one still happens");
        drop(other);
        advance(Duration::from_millis(249)).await;
        assert!(recently.is_true());
        advance(Duration::from_millis(1)).await;
        assert!(!recently.is_true());
    }
}
