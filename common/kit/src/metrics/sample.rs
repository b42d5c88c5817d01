use std::{fmt::Display, time::Duration};

use crate::Shutdown;

/// How often a value is sampled.
const EVERY: Duration = Duration::from_secs(5);

/// Calls `look` at once and then every 5 seconds until shutdown, for metrics whose values come from
/// a server. When the server does not answer, the metrics keep their last values.
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
