use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use contracts::Millis;
use kit::Clock;

/// The machine's clock, which a test can put forward.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Puts the clock forward by so many milliseconds.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// The clock to hand in.
    pub fn clock(&self) -> Clock {
        let (ahead, system) = (self.0.clone(), Clock::system());
        Clock::from_fn(move || system.now() + ahead.load(Ordering::SeqCst))
    }

    /// The time now.
    pub fn now(&self) -> Millis {
        self.clock().now()
    }
}
