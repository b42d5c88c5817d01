use std::time::{Duration, Instant};

/// Polls a condition until it returns a value, for at most 10 seconds.
///
/// # Panics
/// At the time limit. The message contains `what`.
pub async fn eventually<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(10), what, condition).await
}

/// Polls a condition until it returns a value, for at most the time `bound`.
///
/// # Panics
/// At the time limit. The message contains `what`.
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
