//! Those who go on tracking while the demo runs.

use std::time::Duration;

use kit::Clock;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    calendar::MINUTE,
    client::{Client, Who},
};

/// How often a window is sent.
const EVERY: Duration = Duration::from_secs(60);
/// After a longer silence, such as that of a computer that slept, nobody has worked in between.
const SILENCE: i64 = 10 * MINUTE;

/// Those who track.
#[derive(Debug)]
pub struct Tracking {
    /// Each of them.
    pub at_work: Vec<AtWork>,
    /// Where they send to.
    pub client: Client,
}

/// Somebody who tracks.
#[derive(Debug)]
pub struct AtWork {
    /// Their token.
    pub token: String,
    /// Their last window.
    pub window: Value,
    /// When that ended.
    pub since: i64,
}

impl Tracking {
    /// Sends a window of each, every minute. Whoever is refused stops, as somebody has decided so.
    pub async fn go_on(mut self) {
        loop {
            let now = Clock::system().now().0;
            let mut going_on = Vec::with_capacity(self.at_work.len());
            for person in self.at_work {
                going_on.extend(person.send(&self.client, now).await);
            }
            self.at_work = going_on;
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
        match client.try_post("/api/v1/time-entries", Who::Person(&self.token), &self.window).await {
            Ok((status, _)) if status.is_success() => self.since = now,
            Ok((status, told)) if status.is_client_error() => {
                tracing::info!(user = %self.window["user"], detail = %told["detail"], "somebody of the demo stops");
                return None;
            }
            Ok((status, _)) => tracing::warn!(%status, "a window of the demo is sent again"),
            Err(error) => tracing::warn!("a window of the demo is sent again: {error:#}"),
        }
        Some(self)
    }
}
