use std::time::Duration;

use async_nats::{
    Client, Request, Subject,
    jetstream::{AckKind, Message},
};
use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::{Bus, in_hand::replies};

/// How long the server may take to confirm an acknowledgement before it is sent again.
const CONFIRMED: Duration = Duration::from_millis(500);
/// The pause before it is sent again.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it is repeated: for longer than it takes to elect another leader.
const LONGEST: Duration = Duration::from_secs(15);

/// Acknowledges messages, and repeats that in the background until the server confirms it.
///
/// An acknowledgement that is lost with the leader brings its message again only [`ACK_WAIT`](crate::in_hand::ACK_WAIT)
/// after another one was elected: whoever waits until nothing is unacknowledged would wait for that long.
pub async fn acknowledge(bus: &Bus, messages: impl IntoIterator<Item = &Message>) {
    let (began, client) = (Instant::now(), bus.client.clone());
    // Once before it returns: what is told to the client until then is sent even if the process stops.
    let mut unconfirmed = confirm(&client, replies(messages)).await;
    if unconfirmed.is_empty() {
        return;
    }
    tracing::warn!(messages = unconfirmed.len(), "DIAG unconfirmed");
    tokio::spawn(async move {
        while !unconfirmed.is_empty() && began.elapsed() < LONGEST {
            sleep(PAUSE).await;
            unconfirmed = confirm(&client, unconfirmed).await;
        }
        tracing::warn!(left = unconfirmed.len(), took = began.elapsed().as_millis() as u64, "DIAG confirmed");
        if !unconfirmed.is_empty() {
            tracing::warn!(messages = unconfirmed.len(), "not acknowledged; they come again");
        }
    });
}

/// Acknowledges messages by their reply subjects, and gives those that the server does not confirm.
async fn confirm(client: &Client, replies: Vec<Subject>) -> Vec<Subject> {
    let confirmed = replies.into_iter().map(async |reply| {
        let ack = Request::new().payload(AckKind::Ack.into()).timeout(Some(CONFIRMED));
        client.send_request(reply.clone(), ack).await.err().map(|_| reply)
    });
    join_all(confirmed).await.into_iter().flatten().collect()
}
