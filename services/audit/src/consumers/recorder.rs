use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, Message};
use contracts::{Actor, Audited, Event, Service, stream};
use kit::{Error, Origin, Pull, Puller, Shutdown, bury};

use crate::{App, domain::Fact};

/// The most entries of one insert, and the most messages of one pull.
const MOST: usize = 500;
/// The delay after which a message is redelivered when its entry could not be written.
const PAUSE: Duration = Duration::from_secs(1);

/// Appends the entries from EVENTS to the chain. All replicas of the service do so at the same
/// time.
#[derive(Debug)]
pub(crate) struct Recorder {
    app: Arc<App>,
}

impl Recorder {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    /// The durable consumer of EVENTS, which all replicas share.
    pub(crate) fn pull() -> Pull {
        Pull {
            stream: stream::EVENTS,
            durable: Service::Audit.name(),
            filters: vec![Audited::filter()],
            max_ack_pending: 10_000,
            prefetch: MOST,
        }
    }

    /// Opens the consumer, and returns. A background task then records messages until shutdown.
    pub(crate) async fn consume(self, shutdown: &Shutdown) -> anyhow::Result<()> {
        let mut puller = Puller::new(self.app.bus.clone(), Self::pull());
        puller.open().await?;
        puller.watch(shutdown);
        let stop = shutdown.clone();
        shutdown.spawn(async move {
            while let Some(messages) = puller.next(MOST, &stop).await {
                self.record(messages).await;
            }
        });
        Ok(())
    }

    /// Writes the entries of these messages, and acknowledges the messages afterwards. After a
    /// crash in between, the messages are redelivered, and their entries are recognised as written.
    async fn record(&self, messages: Vec<Message>) {
        let mut entries = Vec::with_capacity(messages.len());
        for message in messages {
            match fact(&message) {
                Ok(fact) => entries.push((message, fact)),
                Err(reason) => settle(bury(&self.app.bus, &message, &reason).await),
            }
        }
        let facts = entries.iter().map(|(_, fact)| fact.clone()).collect();
        match self.app.store.chain.record(facts).await {
            Ok(written) => {
                self.app.metrics.recorded(&written);
                kit::failpoint("before_ack");
                for (message, _) in &entries {
                    settle(message.ack().await.map_err(Error::Nats));
                }
            }
            Err(error) => {
                tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "entries wait; they come again");
                for (message, _) in &entries {
                    settle(message.ack_with(AckKind::Nak(Some(PAUSE))).await.map_err(Error::Nats));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Parses the message of an entry. The error is the reason why the message is moved to DEAD.
fn fact(message: &Message) -> Result<Fact, String> {
    let entries: Audited =
        serde_json::from_slice(&message.payload).map_err(|error| format!("cannot be read: {error}"))?;
    let info = message.info().map_err(|error| format!("does not come from a stream: {error}"))?;
    let origin = Origin::read(message.headers.as_ref()).or_actor(Some(Actor::Service(entries.service)));
    Ok(Fact {
        event: entries.id,
        at: entries.at,
        actor: origin.actor().map(|actor| actor.to_string()).unwrap_or_default(),
        action: entries.action,
        subject_kind: entries.subject.kind,
        subject_id: entries.subject.id,
        request_id: origin.request_id,
        cause: origin.cause,
        address: entries.address,
        changes: entries.changes.map(|changes| changes.to_string()),
        stream_seq: info.stream_sequence as i64,
    })
}

/// Logs a failed acknowledgement. The server then redelivers the message.
fn settle(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "not acknowledged; it comes again");
    }
}
