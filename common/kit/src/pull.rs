use std::{fmt, time::Duration};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{PullConsumer, pull},
};

use crate::{Bus, Shutdown, in_hand::ACK_WAIT, metrics::Consumed, prefetcher::Prefetcher};

/// The settings of a durable consumer, which all replicas of a service share.
#[derive(Clone, Debug)]
pub struct Pull {
    /// The name of the stream.
    pub stream: &'static str,
    /// The durable name of the consumer: the name of the service, if the service has only one
    /// consumer of the stream.
    pub durable: &'static str,
    /// The subjects that the consumer receives. Empty for all subjects of the stream.
    pub filters: Vec<String>,
    /// The most messages that wait for their acknowledgement, in all replicas together.
    pub max_ack_pending: i64,
    /// The most messages that one process buffers before it processes them.
    pub prefetch: usize,
}

impl Pull {
    /// The configuration of the consumer on the server.
    pub fn config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.durable.to_owned()),
            filter_subjects: self.filters.clone(),
            ack_wait: ACK_WAIT,
            max_ack_pending: self.max_ack_pending,
            max_deliver: -1,
            ..Default::default()
        }
    }
}

/// Pulls messages from a durable consumer, and reconnects by itself. Messages whose processing may
/// take longer than 3 seconds must be held with [`InHand`](crate::InHand); otherwise the server
/// redelivers them.
pub struct Puller {
    bus: Bus,
    pull: Pull,
    prefetcher: Option<Prefetcher>,
    consumed: Consumed,
}

impl fmt::Debug for Puller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pull.fmt(f)
    }
}

/// The pause after a failed attempt to open the consumer.
const PAUSE: Duration = Duration::from_millis(500);

impl Puller {
    /// A puller of a consumer that `provision` has created.
    pub fn new(bus: Bus, pull: Pull) -> Self {
        let consumed = Consumed::new(bus.metrics(), &pull);
        Self { bus, pull, prefetcher: None, consumed }
    }

    /// Starts to fetch messages.
    ///
    /// # Errors
    /// When JetStream cannot be reached, or the consumer does not exist.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        let Pull { stream, durable, prefetch, .. } = self.pull;
        let consumer: PullConsumer = self.bus.jetstream.get_consumer_from_stream(durable, stream).await?;
        self.prefetcher = Some(Prefetcher::start(&self.bus, consumer, prefetch));
        Ok(())
    }

    /// Updates the metrics of the consumer until shutdown.
    pub fn watch(&self, shutdown: &Shutdown) {
        self.consumed.watch(&self.bus, &self.pull, shutdown);
    }

    /// Waits for a message, and returns it with all other buffered messages, at most `most`. None
    /// after the stop signal; buffered messages then go to other replicas.
    pub async fn next(&mut self, most: usize, shutdown: &Shutdown) -> Option<Vec<Message>> {
        loop {
            if shutdown.is_stopping() {
                self.give_back().await;
                return None;
            }
            let Some(prefetcher) = &self.prefetcher else {
                if let Err(error) = self.open().await {
                    tracing::warn!(%error, stream = self.pull.stream, "cannot consume yet");
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = shutdown.stopping() => {}
                    }
                }
                continue;
            };
            tokio::select! {
                () = prefetcher.wait() => {}
                () = shutdown.stopping() => continue,
            }
            if prefetcher.len() < most {
                yield_to_coalesce().await;
            }
            let taken = prefetcher.take(most);
            self.consumed.record(&taken);
            return Some(taken);
        }
    }

    /// Gives the buffered messages back to the server. Without this, another replica would get them
    /// only after the time limit for their acknowledgement.
    async fn give_back(&mut self) {
        let Some(prefetcher) = self.prefetcher.take() else { return };
        for message in prefetcher.stop().await {
            if let Err(error) = message.ack_with(AckKind::Nak(None)).await {
                tracing::debug!(%error, "not given back; it comes again by itself");
            }
        }
    }
}

/// Yields to all tasks that are ready, so that messages that have arrived together are taken as one
/// batch. It does not wait for messages that have not arrived.
pub async fn yield_to_coalesce() {
    // More than one yield is needed: the scheduler must run the task that reads the socket, and
    // then each task that passes the messages on.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}
