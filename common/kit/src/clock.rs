use std::{fmt, sync::Arc, time::UNIX_EPOCH};

use contracts::Millis;

/// The source of the current time. It is a value, so that tests can replace it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self::from_fn(|| {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
            let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
            Millis(since.map_or(0, |d| d.as_millis() as i64))
        })
    }

    /// A clock that calls a function for the current time.
    pub fn from_fn(now: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The current time.
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
