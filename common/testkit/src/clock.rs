use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use contracts::Millis;
use kit::Clock;

/// The system clock plus an offset that a test sets.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Moves the clock forward by this many milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// This clock, for services.
    pub fn clock(&self) -> Clock {
        let (ahead, system) = (self.0.clone(), Clock::system());
        Clock::from_fn(move || system.now() + ahead.load(Ordering::SeqCst))
    }

    /// The current time of this clock.
    pub fn now(&self) -> Millis {
        self.clock().now()
    }
}
