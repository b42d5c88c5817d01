use std::{fmt, time::Duration};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{PullConsumer, pull},
};

use crate::{Bus, Shutdown, fetching::Fetching, in_hand::ACK_WAIT, metrics::Consumed};

/// A durable consumer, as all its replicas share it.
#[derive(Clone, Debug)]
pub struct Pull {
    /// The stream.
    pub stream: &'static str,
    /// The durable name: that of the service.
    pub durable: &'static str,
    /// What of the stream; everything when empty.
    pub filters: Vec<String>,
    /// The most messages in hand at once, over all replicas.
    pub max_ack_pending: i64,
    /// The most messages that wait in this process for their work.
    pub prefetch: usize,
}

impl Pull {
    /// The consumer's settings, as the server keeps them.
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

/// Takes messages from a durable consumer, whatever happens to the connection. Whoever works on them
/// for longer than a moment holds them with [`InHand`](crate::InHand).
pub struct Puller {
    bus: Bus,
    pull: Pull,
    fetching: Option<Fetching>,
    consumed: Consumed,
}

impl fmt::Debug for Puller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pull.fmt(f)
    }
}

/// The pause after a look for the consumer that did not find it.
const PAUSE: Duration = Duration::from_millis(500);

impl Puller {
    /// A puller of a consumer that `provision` has made.
    pub fn new(bus: Bus, pull: Pull) -> Self {
        let consumed = Consumed::new(bus.metrics(), pull.stream);
        Self { bus, pull, fetching: None, consumed }
    }

    /// Begins to take messages.
    ///
    /// # Errors
    /// When JetStream or the consumer is not there.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        let Pull { stream, durable, prefetch, .. } = self.pull;
        let consumer: PullConsumer = self.bus.jetstream.get_consumer_from_stream(durable, stream).await?;
        self.fetching = Some(Fetching::start(&self.bus, consumer, prefetch));
        Ok(())
    }

    /// Measures how much waits, until shutdown.
    pub fn watch(&self, shutdown: &Shutdown) {
        self.consumed.watch(&self.bus, &self.pull, shutdown);
    }

    /// The messages that are waiting, at least one and at most `most`; waits for the first.
    /// Nothing once it is time to stop: then what is here already goes to somebody else.
    pub async fn next(&mut self, most: usize, shutdown: &Shutdown) -> Option<Vec<Message>> {
        let taken = self.take(most, shutdown).await;
        if taken.is_none() {
            self.give_back().await;
        }
        taken
    }

    /// Gives back what was fetched and nobody here has looked at: it would wait for as long as an
    /// acknowledgement may take.
    async fn give_back(&mut self) {
        let Some(fetching) = self.fetching.take() else { return };
        for message in fetching.stop().await {
            if let Err(error) = message.ack_with(AckKind::Nak(None)).await {
                tracing::debug!(%error, "not given back; it comes again by itself");
            }
        }
    }

    async fn take(&mut self, most: usize, shutdown: &Shutdown) -> Option<Vec<Message>> {
        loop {
            if shutdown.is_stopping() {
                return None;
            }
            let Some(fetching) = &self.fetching else {
                if let Err(error) = self.open().await {
                    tracing::warn!(%error, stream = self.pull.stream, "cannot consume yet");
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = shutdown.stopping() => return None,
                    }
                }
                continue;
            };
            tokio::select! {
                () = fetching.come() => {}
                () = shutdown.stopping() => return None,
            }
            if fetching.len() < most {
                let_company_come().await;
            }
            let taken = fetching.take(most);
            self.consumed.came(&taken);
            return Some(taken);
        }
    }
}

/// Lets the other tasks that are ready go first, so that what has come together is taken together:
/// a message of many costs hardly more than one of few. Nobody waits for what has not come.
pub async fn let_company_come() {
    // Once for whoever reads the socket, and once each for those who pass on what it held.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}
