use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{Client, Subject, jetstream::Message};
use bytes::Bytes;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval_at},
};

use crate::Bus;

/// How long the server waits for an acknowledgement or a progress message before it redelivers a
/// message, to any replica.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(3);
/// How often a progress message is sent for a message that is still in progress.
pub(crate) const PROGRESS: Duration = Duration::from_secs(1);
/// How long progress is reported at most. Work that takes longer probably hangs, so the server then
/// redelivers the message, possibly to another replica.
const LONGEST: Duration = Duration::from_secs(300);
/// The payload of a progress message, as JetStream defines it.
const IN_PROGRESS: &[u8] = b"+WPI";

/// Sends progress messages for messages in progress while this value exists, so that the server
/// does not redeliver them.
#[derive(Debug)]
pub struct InHand {
    /// The reply subject of each message, where the server expects progress messages.
    replies: Arc<Mutex<Vec<Subject>>>,
    reporting: JoinHandle<()>,
}

impl InHand {
    /// Starts to send progress messages for these messages.
    pub fn hold(bus: &Bus, messages: &[Message]) -> Self {
        let replies = Arc::new(Mutex::new(replies(messages)));
        let (client, shared) = (bus.client.clone(), replies.clone());
        let reporting = tokio::spawn(async move {
            let began = Instant::now();
            let mut ticks = interval_at(began + PROGRESS, PROGRESS);
            while began.elapsed() < LONGEST {
                ticks.tick().await;
                let replies = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                report_progress(&client, replies).await;
            }
        });
        Self { replies, reporting }
    }

    /// Stops the progress messages for one message. Call this before a negative acknowledgement
    /// with a delay, because a later progress message would cancel the delay. It is not needed for
    /// an acknowledged message: the server ignores later progress messages for it.
    pub fn let_go(&self, message: &Message) {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        replies.retain(|reply| Some(reply) != message.reply.as_ref());
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.reporting.abort();
    }
}

/// The reply subjects of these messages.
pub(crate) fn replies<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<Subject> {
    messages.into_iter().filter_map(|message| message.reply.clone()).collect()
}

/// Sends a progress message to each of these reply subjects.
pub(crate) async fn report_progress(client: &Client, replies: Vec<Subject>) {
    for reply in replies {
        // An error is ignored: without the progress message, the message is redelivered, which is
        // harmless.
        let _ = client.publish(reply, Bytes::from_static(IN_PROGRESS)).await;
    }
}
