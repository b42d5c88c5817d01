//! Reads the events that update the cache of this process.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use async_nats::jetstream::{self, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use contracts::{Millis, stream};
use kit::Lease;
use serde::Deserialize;
use tokio::time::{Instant, timeout};

/// The subject pattern of all events about changed aggregates.
const CHANGES: &str = "evt.*.v1.*.*.changed";
/// How often the feed moves its position past events that do not match [`CHANGES`]. In each query
/// the server scans the events from the position to the next match, so the position must not fall
/// far behind.
const READ_ON: Duration = Duration::from_millis(250);
/// The time limit of a query. If it is exceeded, the feed starts again, because it may have missed
/// an event.
const LOST: Duration = Duration::from_secs(2);

/// Reads the events that update the cache, by sequence number. The position is stored here and not
/// in a consumer on the server, so a lost connection loses no event.
pub(super) struct Feed {
    jetstream: jetstream::Context,
    lease: Lease,
    /// The next sequence number to read.
    pub(super) next: u64,
    read_on_at: Instant,
}

impl Feed {
    /// Begins after the last event that is in the stream now.
    pub(super) async fn begin(jetstream: jetstream::Context) -> anyhow::Result<Self> {
        let next = places(&jetstream).await?.1 + 1;
        Ok(Self { jetstream, lease: Lease::default(), next, read_on_at: Instant::now() })
    }

    /// Calls `hear` for each new event. Returns the moment up to which every published event is
    /// read. The reply that there is no new event counts only while the server that gives it is
    /// certainly the only leader of the stream.
    pub(super) async fn take_all(
        &mut self,
        now: impl Fn() -> Millis,
        mut hear: impl FnMut(u64, &str, &[u8]),
    ) -> anyhow::Result<Millis> {
        loop {
            let only_leader_until =
                timeout(LOST, self.lease.until(&self.jetstream)).await.context("a query was lost")??;
            let asked_at = now();
            if self.take_new(&mut hear).await? && Instant::now() < only_leader_until {
                return Ok(asked_at);
            }
        }
    }

    /// Reads the next event, if there is one, and calls `hear` for it. Returns true if there was
    /// none at the moment of the request.
    async fn take_new(&mut self, mut hear: impl FnMut(u64, &str, &[u8])) -> anyhow::Result<bool> {
        let places = if self.read_on_at.elapsed() > READ_ON { Some(places(&self.jetstream).await?) } else { None };
        // If the stream was created again, or has dropped events that were not read, events are
        // missing.
        ensure!(places.is_none_or(|(first, last)| (first..=last + 1).contains(&self.next)), "events were missed");
        let ask = serde_json::json!({ "seq": self.next, "next_by_subj": CHANGES });
        let asked = self.jetstream.request(format!("STREAM.MSG.GET.{}", stream::EVENTS), &ask);
        let found: Response<Found> = timeout(LOST, asked).await.context("a query was lost")??;
        match found {
            Response::Ok(Found { message }) => {
                ensure!(message.seq >= self.next, "the stream is another one");
                self.next = message.seq + 1;
                hear(message.seq, &message.subject, &STANDARD.decode(message.data)?);
                Ok(false)
            }
            Response::Err { error } if error.code() == 404 => {
                // No event from `next` to the position `last` matches. The next query begins after
                // `last`, so the server does not scan these events again.
                if let Some((_, last)) = places {
                    (self.next, self.read_on_at) = (self.next.max(last + 1), Instant::now());
                }
                Ok(true)
            }
            Response::Err { error } => bail!("the stream says {error}"),
        }
    }
}

/// The server's reply with a message.
#[derive(Deserialize)]
struct Found {
    message: FoundMessage,
}

#[derive(Deserialize)]
struct FoundMessage {
    subject: String,
    seq: u64,
    #[serde(default)]
    data: String,
}

/// The first and the last sequence number in EVENTS.
async fn places(jetstream: &jetstream::Context) -> anyhow::Result<(u64, u64)> {
    let events = timeout(LOST, jetstream.get_stream(stream::EVENTS)).await.context("no word from the stream")??;
    let state = &events.cached_info().state;
    Ok((state.first_sequence, state.last_sequence))
}

#[cfg(test)]
mod tests {
    use testkit::{NatsCluster, eventually_within};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn that_there_is_nothing_new_is_not_believed_of_a_leader_whom_nobody_hears() {
        const BOUND: Duration = Duration::from_secs(30);
        let cluster = NatsCluster::start().await;
        let mut feed = Feed::begin(cluster.jetstream().clone()).await.unwrap();
        let mut all = async || feed.take_all(|| Millis(7), |_, _, _| {}).await.ok();
        assert_eq!(eventually_within(BOUND, "there is nothing new", &mut all).await, Millis(7));
        cluster.silence_the_others();
        eventually_within(BOUND, "it answers, and is not believed", async || {
            (all().await.is_none() && places(cluster.jetstream()).await.is_ok()).then_some(())
        })
        .await;
        cluster.wake_the_others();
        eventually_within(BOUND, "it is believed again", &mut all).await;
    }
}
