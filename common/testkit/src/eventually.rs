use std::time::{Duration, Instant};

/// Waits, at most 10 seconds, until a condition gives something.
///
/// # Panics
/// When it does not, with what was waited for.
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(10), what, condition).await
}

/// Waits, at most so long, until a condition gives something.
///
/// # Panics
/// When it does not, with what was waited for.
pub async fn eventually_within<T>(bound: Duration, what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < bound, "not within {bound:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
