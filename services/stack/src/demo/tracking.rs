//! The people who go on tracking while the demo runs.

use std::time::Duration;

use kit::Clock;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    calendar::MINUTE,
    client::{Client, Credentials},
};

/// How often each sends a window.
const EVERY: Duration = Duration::from_secs(60);
/// After a longer pause, such as the sleep of a laptop, the time in between is not tracked.
const SILENCE: i64 = 10 * MINUTE;

/// All who track.
#[derive(Debug)]
pub struct Tracking {
    /// The people.
    pub at_work: Vec<AtWork>,
    /// The API.
    pub client: Client,
}

/// A person who tracks.
#[derive(Debug)]
pub struct AtWork {
    /// The person's token.
    pub token: String,
    /// The last window, as a template for the next.
    pub window: Value,
    /// The end of the last window, in milliseconds since 1970 UTC.
    pub since: i64,
}

impl Tracking {
    /// Sends a window for each person every minute. A person who is refused stops: somebody has taken them off.
    pub async fn go_on(mut self) {
        loop {
            let now = Clock::system().now().0;
            let mut remaining = Vec::with_capacity(self.at_work.len());
            for person in self.at_work {
                remaining.extend(person.send(&self.client, now).await);
            }
            self.at_work = remaining;
            sleep(EVERY).await;
        }
    }
}

impl AtWork {
    async fn send(mut self, client: &Client, now: i64) -> Option<Self> {
        if now - self.since > SILENCE {
            self.since = now - MINUTE;
        }
        (self.window["start"], self.window["end"]) = (json!(self.since), json!(now));
        match client.try_post("/api/v1/time-entries", Credentials::Token(&self.token), &self.window).await {
            Ok((status, _)) if status.is_success() => self.since = now,
            Ok((status, answer)) if status.is_client_error() => {
                tracing::info!(user = %self.window["user"], detail = %answer["detail"], "somebody of the demo stops");
                return None;
            }
            Ok((status, _)) => tracing::warn!(%status, "a window of the demo is sent again"),
            Err(error) => tracing::warn!("a window of the demo is sent again: {error:#}"),
        }
        Some(self)
    }
}
