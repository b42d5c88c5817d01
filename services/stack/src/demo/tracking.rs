//! The people who go on tracking while the demo runs.

use std::time::Duration;

use kit::Clock;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    calendar::MINUTE,
    client::{Client, Credentials},
};

/// The interval at which each person sends a window.
const EVERY: Duration = Duration::from_secs(60);
/// The longest gap after the last window that the next window still covers, in milliseconds. After
/// a longer one, such as the sleep of a laptop, the next window is one minute long.
const SILENCE: i64 = 10 * MINUTE;

/// All people who track.
#[derive(Debug)]
pub struct Tracking {
    /// The people who still track.
    pub at_work: Vec<AtWork>,
    /// The client with which windows are sent.
    pub client: Client,
}

/// A person who tracks.
#[derive(Debug)]
pub struct AtWork {
    /// The person's token.
    pub token: String,
    /// The body of the last window, which is the template for the next.
    pub window: Value,
    /// The end of the last window, in milliseconds since 1970 UTC.
    pub since: i64,
}

impl Tracking {
    /// Sends a window for each person every minute. A person whose window is refused sends no more:
    /// the user of the demo has changed something that forbids it.
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
