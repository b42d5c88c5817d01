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

/// After so long without an acknowledgement or a word of progress a message is delivered again, to
/// anybody: whoever had it has died, or stands still.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(3);
/// How often there is a word of progress about a message that is worked on for longer than this.
pub(crate) const PROGRESS: Duration = Duration::from_secs(1);
/// No work takes so long. What does hangs: somebody else is to try.
const LONGEST: Duration = Duration::from_secs(300);
/// What the server reads as progress.
const IN_PROGRESS: &[u8] = b"+WPI";

/// Keeps messages from being delivered again for as long as it lives, which is for as long as they
/// are worked on.
#[derive(Debug)]
pub struct InHand {
    /// Where the server hears about each message.
    replies: Arc<Mutex<Vec<Subject>>>,
    telling: JoinHandle<()>,
}

impl InHand {
    /// These messages are worked on.
    pub fn hold(bus: &Bus, messages: &[Message]) -> Self {
        let replies = Arc::new(Mutex::new(replies(messages)));
        let (client, told) = (bus.client.clone(), replies.clone());
        let telling = tokio::spawn(async move {
            let began = Instant::now();
            let mut ticks = interval_at(began + PROGRESS, PROGRESS);
            while began.elapsed() < LONGEST {
                ticks.tick().await;
                let replies = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tell_progress(&client, replies).await;
            }
        });
        Self { replies, telling }
    }

    /// This one is given back, to come again after a delay of its own: a word of progress would
    /// change that. (One that is acknowledged may stay: the server ignores what is said of it.)
    pub fn let_go(&self, message: &Message) {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        replies.retain(|reply| Some(reply) != message.reply.as_ref());
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

/// Where the server hears about these messages.
pub(crate) fn replies<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<Subject> {
    messages.into_iter().filter_map(|message| message.reply.clone()).collect()
}

/// Says of messages that they are in hand, or wait for it here.
pub(crate) async fn tell_progress(client: &Client, replies: Vec<Subject>) {
    for reply in replies {
        // What the server does not hear makes a message come twice, which does no harm.
        let _ = client.publish(reply, Bytes::from_static(IN_PROGRESS)).await;
    }
}
