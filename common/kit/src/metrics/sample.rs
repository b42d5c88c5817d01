use std::{fmt::Display, time::Duration};

use crate::Shutdown;

/// How often a value is sampled.
const EVERY: Duration = Duration::from_secs(5);

/// Calls `look` every 5 seconds until shutdown, at once for the first time. For values that a server must be
/// asked for; when it does not answer, the last value stands.
pub fn sample<W, F, E>(shutdown: &Shutdown, look: W)
where
    W: Fn() -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send,
    E: Display + Send,
{
    let stop = shutdown.clone();
    tokio::spawn(async move {
        while !stop.is_stopping() {
            if let Err(error) = look().await {
                tracing::debug!(%error, "cannot be measured now");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.stopping() => {}
            }
        }
    });
}
