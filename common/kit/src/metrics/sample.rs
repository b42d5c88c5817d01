use std::{fmt::Display, time::Duration};

use crate::Shutdown;

/// How often what others know is asked for.
const EVERY: Duration = Duration::from_secs(5);

/// Looks every 5 seconds until shutdown, the first time at once: for what only others know, such
/// as how much waits in a stream. Where they do not answer, the last word stands.
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
