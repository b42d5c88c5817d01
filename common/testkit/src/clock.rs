use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use contracts::Millis;
use kit::Clock;

/// A clock that shows the system time plus an offset, which a test can increase.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Moves the clock forward by this many milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// A [`Clock`] for services that shows the time of this clock.
    pub fn clock(&self) -> Clock {
        let (ahead, system) = (self.0.clone(), Clock::system());
        Clock::from_fn(move || system.now() + ahead.load(Ordering::SeqCst))
    }

    /// The current time of this clock.
    pub fn now(&self) -> Millis {
        self.clock().now()
    }
}
